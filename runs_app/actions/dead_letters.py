"""Dead letters: replayed, which has their tasks run again, or dropped, which ends their waiting.

Many are taken run by run, the one that failed first before the others, each run in a transaction of
its own: one that cannot be replayed undoes nothing of the rest. Whoever is second of two that do
something to the same letter at once finds it gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction

from runs_app.actions import rerunning
from runs_app.actions.rerunning import ToClear
from runs_app.domain.clearing import Selection
from runs_app.models import DagRun, DeadLetter
from runs_app.selectors.dead_letters import Letter, by_run
from skytrail.database.statement import Statement
from skytrail.errors import Conflict


class DeadLetterGone(Conflict):
    """The task {task_id} is no dead letter any more: somebody has just replayed or dropped it."""


class DagOfDeadLetterDeleted(Conflict):
    """The DAG {dag_id} has been deleted: its dead letters can be dropped, but not replayed."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A dead letter that was left as it is, and why."""

    letter: Letter
    error: Conflict


@dataclass(slots=True)
class Handled:
    """What became of the dead letters of a run: done, or passed over."""

    done: list[Letter] = field(default_factory=list)
    #: With replays: every task that runs again, those that come after the letters' own too.
    tasks: list[ToClear] = field(default_factory=list)
    passed_over: list[PassedOver] = field(default_factory=list)


@dataclass(frozen=True)
class _Dropped:
    id: UUID


# Not a move: the state stays. The run is held as by everybody who takes several of its tasks, and
# what has been replayed while we waited for it is no longer failed when the update looks again.
_DROP = Statement(
    "drop_dead_letters",
    """
WITH run AS MATERIALIZED (
  SELECT id FROM skytrail_dag_run WHERE id = %(run)s::uuid FOR NO KEY UPDATE
), dropped AS (
  UPDATE skytrail_task_run t SET dropped_at = clock_timestamp()
  FROM run
  WHERE t.run_id = run.id AND t.id = ANY (%(ids)s::uuid[])
    AND t.state = 'failed' AND t.dropped_at IS NULL
  RETURNING t.id, t.run_id, t.epoch
), history AS (
  INSERT INTO skytrail_transition
    (run_id, task_run_id, from_state, to_state, epoch, reason, actor, at)
  SELECT run_id, id, 'failed', 'failed', epoch, 'dead letter dropped', %(actor)s, clock_timestamp()
  FROM dropped
)
SELECT id FROM dropped
""",
    _Dropped,
)


def replay(letter: Letter, *, actor: str, dry_run: bool = False) -> list[ToClear]:
    """Has a dead letter's task run again with all that comes after it, and says what that is.

    With `dry_run` it only says so. Raises `DeadLetterGone`, `DagOfDeadLetterDeleted`, and
    `RunCannotBeCleared` while its run is being cancelled.
    """
    handled = _replay([letter], actor=actor, dry_run=dry_run)
    _raise_first(handled)
    return handled.tasks


def replay_many(
    letters: Sequence[Letter], *, actor: str, dry_run: bool = False
) -> Iterator[Handled]:
    """Replays `letters`, and says after each run what became of those in it."""
    for of_run in by_run(letters):
        try:
            yield _replay(of_run, actor=actor, dry_run=dry_run)
        except Conflict as error:
            yield Handled(passed_over=[PassedOver(letter, error) for letter in of_run])


def drop(letter: Letter, *, actor: str) -> None:
    """Takes a dead letter off the list; its task stays failed. Raises `DeadLetterGone`."""
    _raise_first(_drop([letter], actor=actor, dry_run=False))


def drop_many(letters: Sequence[Letter], *, actor: str, dry_run: bool = False) -> Iterator[Handled]:
    """Drops `letters`, and says after each run what became of those in it."""
    for of_run in by_run(letters):
        yield _drop(of_run, actor=actor, dry_run=dry_run)


def _replay(letters: Sequence[Letter], *, actor: str, dry_run: bool) -> Handled:
    """All of one run."""
    with transaction.atomic():
        found = DagRun.objects.filter(pk=letters[0].run_pk).only("dag_id").first()
        if found is None:
            return _handled(letters, set())
        run = rerunning.hold(found)
        # Looked at only now: of two who replay, the second waits above and finds nothing here.
        if run.dag.deleted_at is not None:
            raise DagOfDeadLetterDeleted(dag_id=repr(run.dag.dag_id))
        handled = _handled(letters, _still_dead(letters))
        if handled.done:
            handled.tasks = rerunning.clear_held(
                run,
                Selection(task_ids=[letter.task_id for letter in handled.done]),
                actor=actor,
                reason="replayed",
                dry_run=dry_run,
            )
    return handled


def _drop(letters: Sequence[Letter], *, actor: str, dry_run: bool) -> Handled:
    """All of one run."""
    if dry_run:
        return _handled(letters, _still_dead(letters))
    ids = [letter.id for letter in letters]
    rows = _DROP.all(run=letters[0].run_pk, ids=ids, actor=actor)
    return _handled(letters, {row.id for row in rows})


def _still_dead(letters: Sequence[Letter]) -> set[UUID]:
    ids = [letter.id for letter in letters]
    return set(DeadLetter.objects.filter(pk__in=ids).values_list("pk", flat=True))


def _handled(letters: Sequence[Letter], there: set[UUID]) -> Handled:
    return Handled(
        done=[letter for letter in letters if letter.id in there],
        passed_over=[
            PassedOver(letter, DeadLetterGone(task_id=repr(letter.task_id)))
            for letter in letters
            if letter.id not in there
        ],
    )


def _raise_first(handled: Handled) -> None:
    if handled.passed_over:
        raise handled.passed_over[0].error
