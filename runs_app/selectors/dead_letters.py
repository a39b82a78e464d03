"""The dead letters: task runs that have used up their tries, and what each died of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from django.db.models import OuterRef, Subquery

from runs_app.models import Attempt, DeadLetter
from runs_app.models.dead_letter import DeadLetterQuerySet
from skytrail.security.subject import Subject

#: Letters that are looked through for the reasons that there are.
LOOKED_AT = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which dead letters: those that fulfil every condition given."""

    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    #: What the last execution ended with: `exit_code`, `timeout`, `worker_lost`, …
    reason: str | None = None
    queue: str | None = None
    #: Failed at this time or later, and before that one.
    failed_after: datetime | None = None
    failed_before: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it lets everything through."""
        return all(getattr(self, field.name) is None for field in fields(self))


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter by its names, as lists of many of them are handed on."""

    id: UUID
    run_pk: UUID
    dag_id: str
    run_id: str
    task_id: str
    map_index: int


def matching(user: Subject, wanted: Filter | None = None) -> DeadLetterQuerySet:
    """The dead letters that `user` may see and that `wanted` lets through, in no order."""
    wanted = wanted or Filter()
    conditions = {
        "dag__dag_id": wanted.dag_id,
        "run__run_id": wanted.run_id,
        "task_id": wanted.task_id,
        "queue": wanted.queue,
        "finished_at__gte": wanted.failed_after,
        "finished_at__lt": wanted.failed_before,
    }
    given = {name: value for name, value in conditions.items() if value is not None}
    letters: DeadLetterQuerySet = DeadLetter.objects.visible_to(user).filter(**given)
    return letters if wanted.reason is None else died_of(letters, wanted.reason)


def died_of(letters: DeadLetterQuerySet, reason: str) -> DeadLetterQuerySet:
    """Those whose last execution ended with `reason`."""
    executions = Attempt.objects.filter(task_run=OuterRef("pk")).order_by("-epoch")
    return letters.alias(died_of=Subquery(executions.values("reason")[:1])).filter(died_of=reason)


def reasons(letters: DeadLetterQuerySet) -> list[str]:
    """What the latest of `letters` died of, each reason once; for a filter to choose from."""
    executions = Attempt.objects.filter(task_run=OuterRef("pk")).order_by("-epoch")
    latest = letters.order_by("-finished_at", "-id")[:LOOKED_AT]
    found = latest.values_list(Subquery(executions.values("reason")[:1]), flat=True)
    return sorted({reason for reason in found if reason})


def oldest_first(letters: DeadLetterQuerySet, *, limit: int | None = None) -> list[Letter]:
    """The names of `letters`, or of the oldest `limit` of them, in the order of their deaths."""
    rows = (
        letters.prefetch_related(None)
        .order_by("finished_at", "id")
        .values_list("id", "run_id", "dag__dag_id", "run__run_id", "task_id", "map_index")
    )
    return [Letter(*row) for row in rows[:limit]]


def letter_of(letter: DeadLetter) -> Letter:
    """Its names."""
    return Letter(
        letter.pk,
        letter.run_id,
        letter.dag.dag_id,
        letter.run.run_id,
        letter.task_id,
        letter.map_index,
    )


def by_run(letters: Sequence[Letter]) -> Iterator[list[Letter]]:
    """`letters` run by run, in the order in which the runs first appear."""
    runs: dict[UUID, list[Letter]] = {}
    for letter in letters:
        runs.setdefault(letter.run_pk, []).append(letter)
    yield from runs.values()
