from __future__ import annotations

from dags_app.domain.commands import ApprovalCommand
from runs_app.domain.others import Answer
from runs_app.domain.outcomes import Outcome
from workers.executors.contract import Call

#: Who has chosen where nobody has answered in time.
_NOBODY = "nobody in time"


class ApprovalExecutor:
    """Asks people and sleeps until one of them has answered, or the time is up."""

    def execute(self, call: Call[ApprovalCommand]) -> Outcome:
        command, execution = call.command, call.execution
        assert call.services.others is not None
        answer = call.services.others.ask(execution, command)
        if answer is not None:
            call.log.write(
                f"{answer.by} has chosen {answer.choice!r}. {answer.note}".rstrip() + "\n"
            )
            return decided(command, answer)
        timeout = command.wait_timeout_seconds
        if timeout is None:
            return Outcome.deferred(None, "waits for somebody's answer")
        left = timeout - execution.waited_seconds
        if left > 0:
            return Outcome.deferred(left, "waits for somebody's answer")
        if command.default is not None:
            return decided(command, Answer(command.default, by=_NOBODY, note=""))
        return Outcome.failed(
            f"nobody has answered within {timeout:,.0f} s: {command.subject}",
            reason="approval_timeout",
            may_retry=False,
        )


def decided(command: ApprovalCommand, answer: Answer) -> Outcome:
    """What an answer means for the task."""
    if answer.choice in command.approving:
        return Outcome.success({"choice": answer.choice, "by": answer.by, "note": answer.note})
    why = f": {answer.note}" if answer.note else ""
    message = f"{answer.by} has chosen {answer.choice!r}{why}"
    if command.on_reject == "skip":
        return Outcome.skipped(message)
    return Outcome.failed(message, reason="rejected", may_retry=False)
