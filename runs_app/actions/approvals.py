"""Asking people, and what they answer."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from dags_app.domain.commands import ApprovalCommand
from dags_app.domain.problems import suggestion
from runs_app.actions import waking
from runs_app.domain.others import Answer
from runs_app.models import Approval
from skytrail.database.statement import Nothing, Statement
from skytrail.errors import Conflict, Forbidden, Invalid


class UnknownOption(Invalid):
    """That cannot be chosen here."""


class AlreadyDecided(Conflict):
    """{who} has chosen {choice} already."""


class NobodyWaits(Conflict):
    """Nobody waits for this answer any more: the task is {state}."""


class NotAsked(Forbidden):
    """This is for others to decide: {names}."""


# An execution that was lost and begun again asks only once.
_ASK = Statement(
    "ask",
    """
INSERT INTO skytrail_approval
  (task_run_id, attempt, subject, body, options, assigned_users, times_out_at, decided_by, note)
VALUES (%(task_run)s::uuid, %(attempt)s, %(subject)s, %(body)s, %(options)s, %(users)s,
  clock_timestamp() + %(timeout)s::float8 * interval '1 second', '', '')
ON CONFLICT (task_run_id, attempt) DO NOTHING
""",
    Nothing,
)


def ask(*, task_run_id: UUID, attempt: int, command: ApprovalCommand) -> Answer | None:
    """Asks what `command` says, if this try has not asked yet; the answer, if there is one."""
    _ASK.count(
        task_run=task_run_id,
        attempt=attempt,
        subject=command.subject,
        body=command.body,
        options=list(command.options),
        users=list(command.assigned_users),
        timeout=command.wait_timeout_seconds,
    )
    asked = Approval.objects.get(task_run=task_run_id, attempt=attempt)
    if asked.choice is None:
        return None
    return Answer(asked.choice, asked.decided_by, asked.note)


def decide(approval: Approval, *, choice: str, note: str, actor: str, username: str = "") -> None:
    """Answers, and has the task go on at once.

    `username` is whoever is at the screen; empty for the task itself, which falls back on its
    default. Raises `UnknownOption`, `NotAsked`, `AlreadyDecided` and `NobodyWaits`.
    """
    if choice not in approval.options:
        hint = suggestion(choice, approval.options) or f"; use {', '.join(approval.options)}"
        raise UnknownOption.because("choice", "unknown_option", f"there is no {choice!r}{hint}")
    if username and approval.assigned_users and username not in approval.assigned_users:
        raise NotAsked(names=", ".join(approval.assigned_users))
    with transaction.atomic():
        is_first = Approval.objects.filter(
            pk=approval.pk, choice=None, task_run__attempt=F("attempt")
        ).update(choice=choice, decided_by=actor, note=note, decided_at=Now())
        if not is_first:
            _explain(approval)
        # Where the task is just about to fall asleep, the next wake tick finds the answer.
        waking.wake_answered(approval.task_run_id, actor=actor)


def _explain(approval: Approval) -> None:
    approval.refresh_from_db()
    if approval.choice is not None:
        raise AlreadyDecided(who=approval.decided_by, choice=repr(approval.choice))
    raise NobodyWaits(state=approval.task_run.state)
