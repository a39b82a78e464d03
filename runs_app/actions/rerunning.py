"""Clearing tasks of a run, so that they run again: one, with what follows, or only what failed.

A task that runs becomes `restarting` and is stopped first: its next execution never begins while
the old one may still be at work. Earlier executions keep their rows, logs and outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from dags_app.domain.problems import suggestion
from dags_app.models import Dag
from runs_app.actions.attempts import want_replan
from runs_app.actions.transitions import Move, run_move, task_move
from runs_app.dispatching import call_in_after_commit, request_dispatch_after_commit
from runs_app.domain.graph import Graph
from runs_app.domain.states import RunState, TaskState
from runs_app.models import DagRun, TaskRun
from runs_app.selectors.graphs import graph_of
from skytrail.database.statement import Nothing, Statement
from skytrail.errors import Conflict, Invalid, Problem


class BadSelection(Invalid):
    """These tasks cannot be cleared."""


class RunCannotBeCleared(Conflict):
    """The run {run_id} is being cancelled; clear it when that is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which tasks: those named (None for all), with what follows them, and of these the failed."""

    task_ids: Sequence[str] | None = None
    downstream: bool = True
    only_failed: bool = False


@dataclass(frozen=True, slots=True)
class ToClear:
    """A task run that is, or would be, cleared."""

    task_id: str
    map_index: int
    state: str


@dataclass(frozen=True)
class _Cleared:
    id: UUID
    state: str
    worker: str


# A task that waits keeps its state, but not its epoch, nor its place in the line for slots: the
# message of a chain may be about to start it, or a slot about to be given to it, because of what is
# being cleared here. `max_attempts` starts anew: the task gets its retries again, on top of the
# tries that it has used up.
_CLEAR = task_move(
    "clear",
    Move(
        guard="""t.run_id = %(run)s::uuid AND t.position = ANY (%(positions)s::int[])
    AND t.state <> 'restarting'""",
        to="CASE WHEN t.state IN ('running', 'cancelling') THEN 'restarting' ELSE 'waiting' END",
        reason="%(reason)s",
        sets="""epoch = t.epoch + (before.to_state = 'waiting')::int,
        max_attempts = t.attempt + 1 + (
          SELECT v.retries FROM skytrail_version_task v WHERE v.id = t.version_task_id
        ),
        lost_count = 0,
        chosen = NULL,
        map_length = NULL,
        wake_at = NULL,
        waiting_since = NULL,
        ready_at = NULL,
        dropped_at = NULL""",
        returning="m.id, m.state, m.worker",
    ),
    _Cleared,
)


# A gated task that waits for a slot was found ready: what it hangs on runs again now, so it has to
# be found ready once more. Not a move: it waits as before.
_OUT_OF_LINE = Statement(
    "out_of_line",
    """
UPDATE skytrail_task_run SET ready_at = NULL
WHERE run_id = %(run)s::uuid AND position = ANY (%(positions)s::int[])
  AND state = 'waiting' AND ready_at IS NOT NULL
""",
    Nothing,
)


@dataclass(frozen=True)
class _Reopened:
    id: UUID
    state: str


_REOPEN = run_move(
    "reopen",
    Move(
        joins="JOIN skytrail_dag d ON d.id = t.dag_id",
        guard="t.id = %(run)s::uuid AND t.state IN ('success', 'failed', 'cancelled')",
        to="""CASE WHEN d.runs_at_once > (
        SELECT count(*) FROM skytrail_dag_run a
        WHERE a.dag_id = t.dag_id AND a.state IN ('running', 'cancelling')
      ) THEN 'running' ELSE 'queued' END""",
        sets="timed_out = false",
        reason="'tasks ' || %(reason)s::text",
        returning="m.id, m.state",
    ),
    _Reopened,
)


def clear(
    run: DagRun,
    selection: Selection,
    *,
    actor: str,
    reason: str = "cleared",
    dry_run: bool = False,
) -> list[ToClear]:
    """Has the selected tasks run again; with `dry_run` only says which they are.

    `reason` is a participle, for the history: the tasks are "cleared", the run's are "tasks
    cleared". Raises `BadSelection` for unknown task ids and `RunCannotBeCleared` while a cancel is
    under way.
    """
    _selected(graph_of(run.version_id), selection)  # a wrong one is refused before anybody waits
    with transaction.atomic():
        return clear_held(hold(run), selection, actor=actor, reason=reason, dry_run=dry_run)


def clear_held(
    run: DagRun, selection: Selection, *, actor: str, reason: str, dry_run: bool
) -> list[ToClear]:
    """As `clear`, of a run that `hold` has given out in this transaction."""
    positions = _selected(graph_of(run.version_id), selection)
    rows = list(
        TaskRun.objects.filter(run=run, position__in=positions)
        .exclude(state=TaskState.WAITING)
        .order_by("position", "map_index")
    )
    if selection.only_failed:
        failed = {TaskState.FAILED, TaskState.UPSTREAM_FAILED, TaskState.CANCELLED}
        rows = [row for row in rows if row.state in failed]
    if rows and not dry_run:
        if selection.only_failed:
            positions = {row.position for row in rows}
        _clear_and_reopen(run, positions, actor=actor, reason=reason)
    return [ToClear(row.task_id, row.map_index, row.state) for row in rows]


def hold(run: DagRun) -> DagRun:
    """The run as it is now, with its DAG; within this transaction nobody else clears or plans it.

    Raises `RunCannotBeCleared` while a cancel is under way.
    """
    # The DAG first: whether the run may go on at once depends on how many others run.
    dags = Dag.objects.select_for_update(no_key=True).only("dag_id", "deleted_at")
    dag = dags.get(pk=run.dag_id)
    held = DagRun.objects.select_for_update(no_key=True).get(pk=run.pk)
    held.dag = dag
    if held.state == RunState.CANCELLING:
        raise RunCannotBeCleared(run_id=repr(held.run_id))
    return held


def _clear_and_reopen(run: DagRun, positions: set[int], *, actor: str, reason: str) -> None:
    cleared = _CLEAR.all(run=run.pk, positions=sorted(positions), actor=actor, reason=reason)
    graph = graph_of(run.version_id)
    if graph.is_gated:
        after = {later for position in positions for later in graph.downstream[position]}
        _OUT_OF_LINE.count(run=run.pk, positions=sorted(after))
    call_in_after_commit(row.worker for row in cleared if row.state == TaskState.RESTARTING)
    reopened = _REOPEN.one(run=run.pk, actor=actor, reason=reason)
    want_replan(run.pk)
    if reopened is None or reopened.state == RunState.RUNNING:
        request_dispatch_after_commit(run.pk)


def _selected(graph: Graph, selection: Selection) -> set[int]:
    if selection.task_ids is None:
        return set(range(len(graph)))
    unknown = [
        Problem(
            f"task_ids[{place}]",
            "unknown_task",
            f"the run has no task {name!r}{suggestion(name, graph.position_of)}",
        )
        for place, name in enumerate(selection.task_ids)
        if name not in graph.position_of
    ]
    if unknown:
        raise BadSelection(problems=unknown)
    chosen = {graph.position_of[name] for name in selection.task_ids}
    return chosen | graph.descendants(chosen) if selection.downstream else chosen
