"""Why a run waits, goes on, was late, or ended as it did."""

from __future__ import annotations

from datetime import timedelta

from runs_app.domain.explaining.facts import RunFacts, TaskFacts
from runs_app.domain.explaining.reasons import WIDE, About, Explanation, Reason, count, few
from runs_app.domain.explaining.tasks import reason_of
from runs_app.domain.states import RunState, TaskState

#: A schedule's tick is seen to within a second or two, and a run begins at once.
LATE_AFTER = timedelta(seconds=60)

_BROKEN = (TaskState.FAILED, TaskState.UPSTREAM_FAILED, TaskState.CANCELLED)


def explain_run(facts: RunFacts) -> Explanation:
    """How a run stands, and why."""
    if facts.is_missing:
        return Explanation(headline="The run was not there yet: it was made later", at=facts.at)
    headline, reasons = _TELLERS[facts.state](facts)
    return Explanation(
        headline=headline,
        at=facts.at,
        since=facts.since,
        reasons=(*reasons, *lateness(facts)),
    )


def _queued(facts: RunFacts) -> tuple[str, tuple[Reason, ...]]:
    limit = count(facts.runs_at_once, "run")
    text = f"its DAG may have {limit} under way at once"
    if facts.overlap_policy in {"buffer_one", "buffer_all", "cancel_other"}:
        text = f"its DAG has the overlap policy {facts.overlap_policy}: one run at a time"
    because = tuple(
        Reason(
            code="run_under_way",
            text=f"`{other.run_id}` is {other.state}",
            since=other.since,
            about=_run(facts.dag_id, other.run_id),
        )
        for other in facts.under_way[:WIDE]
    )
    text = f"{text}, and {len(facts.under_way)} {'is' if len(facts.under_way) == 1 else 'are'}"
    reasons = [Reason(code="max_active_runs", text=text, since=facts.queued_at, because=because)]
    if facts.ahead:
        wait = "waits" if facts.ahead == 1 else "wait"
        text = f"{count(facts.ahead, 'run')} of the DAG came before it and {wait} too"
        reasons.append(Reason(code="runs_ahead", text=text))
    if not facts.is_past and len(facts.under_way) < facts.runs_at_once:
        text = "there is room for it: it begins in a moment"
        reasons = [Reason(code="about_to_start", text=text)]
    return "The run waits for its turn", tuple(reasons)


def _running(facts: RunFacts) -> tuple[str, tuple[Reason, ...]]:
    tasks = facts.counted
    over = sum(task.state.is_final for task in tasks)
    front = _front(facts)
    reasons = tuple(reason_of(facts, task) for task in front[:WIDE])
    if len(front) > WIDE:
        are = "is" if len(front) == WIDE + 1 else "are"
        text = f"{count(len(front) - WIDE, 'other task')} {are} under way or could be"
        reasons = (*reasons, Reason(code="more", text=text))
    if tasks and not front:
        text = "all tasks have ended: it is about to be closed"
        reasons = (Reason(code="about_to_end", text=text),)
    return f"The run is under way: {over} of {count(len(tasks), 'task')} have ended", reasons


def _front(facts: RunFacts) -> list[TaskFacts]:
    """The tasks at which the run stands: not ended, and not waiting for others that have not."""
    found = []
    for task in facts.counted:
        if task.state.is_final:
            continue
        if task.state is TaskState.WAITING and any(
            not other.state.is_final for other in facts.upstream_of(task)
        ):
            continue
        found.append(task)
    return sorted(found, key=lambda task: (task.state is TaskState.RUNNING, task.key))


def _cancelling(facts: RunFacts) -> tuple[str, tuple[Reason, ...]]:
    running = [task for task in facts.counted if not task.state.is_final]
    names = few([f"`{task.name}`" for task in running])
    text = f"{names} {'has' if len(running) == 1 else 'have'} been told to stop"
    return (
        f"The run is being cancelled ({facts.reason} by {facts.actor})",
        (Reason(code="stopping", text=text),) if running else (),
    )


def _success(facts: RunFacts) -> tuple[str, tuple[Reason, ...]]:
    forgiven = [task for task in facts.counted if task.state in _BROKEN]
    if not forgiven:
        return "The run has succeeded", ()
    names = few([f"`{task.name}`" for task in forgiven])
    text = f"{names} went wrong, and what follows could go on without"
    return "The run has succeeded", (Reason(code="forgiven", text=text),)


def _failed(facts: RunFacts) -> tuple[str, tuple[Reason, ...]]:
    reasons = []
    if facts.timed_out:
        text = "it took longer than its DAG allows (run_timeout_seconds), and was stopped"
        reasons.append(Reason(code="run_timeout", text=text, since=facts.finished_at))
    roots = [task for task in facts.counted if task.state is TaskState.FAILED]
    roots = roots or [task for task in facts.counted if task.state is TaskState.CANCELLED]
    reasons += [reason_of(facts, task) for task in roots[:WIDE]]
    after = sum(task.state is TaskState.UPSTREAM_FAILED for task in facts.counted)
    if after:
        text = f"{count(after, 'task')} after that {'was' if after == 1 else 'were'} not begun"
        reasons.append(Reason(code="not_begun", text=text))
    if len(roots) > WIDE:
        text = f"{count(len(roots) - WIDE, 'other task')} failed too"
        reasons.append(Reason(code="more", text=text))
    return "The run has failed", tuple(reasons)


def _cancelled(facts: RunFacts) -> tuple[str, tuple[Reason, ...]]:
    by = f" by {facts.actor}" if facts.actor else ""
    return f"The run was cancelled ({facts.reason}{by})", ()


def lateness(facts: RunFacts) -> tuple[Reason, ...]:
    """How late the run came and began, where it did, and what that was."""
    reasons = []
    due = facts.logical_date
    if facts.run_type == "scheduled" and due is not None and facts.queued_at - due > LATE_AFTER:
        text = (
            f"it was made {_roughly(facts.queued_at - due)} after its time: its DAG was paused or"
            " not there then, or nobody looked at schedules"
        )
        reasons.append(Reason(code="made_late", text=text, since=due, until=facts.queued_at))
    if facts.started_at is not None and facts.started_at - facts.queued_at > LATE_AFTER:
        text = (
            f"it waited {_roughly(facts.started_at - facts.queued_at)} for its turn: its DAG may"
            f" have {count(facts.runs_at_once, 'run')} under way at once"
        )
        reasons.append(
            Reason(code="began_late", text=text, since=facts.queued_at, until=facts.started_at)
        )
    return tuple(reasons)


def _roughly(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for size, unit in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            return count(seconds // size, unit)
    return count(seconds, "second")


def _run(dag_id: str, run_id: str) -> About:
    return About(kind="run", name=run_id, dag_id=dag_id, run_id=run_id)


_TELLERS = {
    RunState.QUEUED: _queued,
    RunState.RUNNING: _running,
    RunState.CANCELLING: _cancelling,
    RunState.SUCCESS: _success,
    RunState.FAILED: _failed,
    RunState.CANCELLED: _cancelled,
}
