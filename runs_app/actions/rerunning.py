"""Clearing tasks of a run, so that they run again: some, with what is around them, or what failed.

A task that runs becomes `restarting` and is stopped first: its next execution never begins while
the old one may still be at work. Earlier executions keep their rows, logs and outputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from dags_app.domain import params
from dags_app.models import Dag
from runs_app.actions.attempts import want_replan
from runs_app.actions.transitions import Move, run_move, task_move
from runs_app.dispatching import call_in_after_commit, request_dispatch_after_commit
from runs_app.domain import clearing
from runs_app.domain.clearing import Selection
from runs_app.domain.graph import Graph
from runs_app.domain.states import RunState, TaskState
from runs_app.models import DagRun, TaskRun
from runs_app.selectors.graphs import graph_of
from skytrail.database.clock import database_now
from skytrail.database.statement import Nothing, Statement
from skytrail.errors import Conflict, Invalid, Problem


class BadSelection(Invalid):
    """These tasks cannot be cleared."""


class RunCannotBeCleared(Conflict):
    """The run {run_id} is being cancelled; clear it when that is over."""


@dataclass(frozen=True, slots=True)
class ToClear:
    """A task run that is, or would be, cleared."""

    task_id: str
    map_index: int
    state: str

    @property
    def name(self) -> str:
        """Its name for people: of an instance of a mapped task `load[3]`."""
        return self.task_id if self.map_index < 0 else f"{self.task_id}[{self.map_index}]"


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
        joins="""JOIN unnest(%(positions)s::int[], %(indexes)s::int[]) AS i (position, map_index)
      ON i.position = t.position AND i.map_index = t.map_index""",
        guard="t.run_id = %(run)s::uuid AND t.state <> 'restarting'",
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
    conf: dict[str, Any] | None = None,
    dry_run: bool = False,
) -> list[ToClear]:
    """Has the selected tasks run again; with `dry_run` only says which they are.

    With `conf` the run has that one from then on; those before are kept with it. `reason` is a
    participle, for the history: the tasks are "cleared", the run's are "tasks cleared". Raises
    `BadSelection` for unknown task ids, `params.BadConf`, and `RunCannotBeCleared` while a cancel
    is under way.
    """
    if conf is not None:
        conf = params.resolve(run.version.spec.get("params", {}), conf)
    _named(graph_of(run.version_id), selection)  # a wrong one is refused before anybody waits
    with transaction.atomic():
        held = hold(run)
        tasks = clear_held(held, selection, actor=actor, reason=reason, dry_run=dry_run)
        if conf is not None and conf != held.conf and tasks and not dry_run:
            _give_conf(held, conf, actor=actor)
        return tasks


def clear_held(
    run: DagRun, selection: Selection, *, actor: str, reason: str, dry_run: bool
) -> list[ToClear]:
    """As `clear`, of a run that `hold` has given out in this transaction."""
    graph = graph_of(run.version_id)
    wanted = _named(graph, selection)
    tasks = TaskRun.objects.filter(run=run).only("task_id", "position", "map_index", "state")
    there = {(task.position, task.map_index): task for task in tasks}
    rows = [clearing.Row(*step, TaskState(task.state)) for step, task in there.items()]
    if absent := clearing.missing(graph, wanted, rows):
        raise BadSelection(problems=[_absent(name, selection) for name in absent])
    steps = clearing.choose(graph, selection, wanted, rows)
    cleared = [
        ToClear(there[step].task_id, there[step].map_index, there[step].state)
        for step in steps
        if there[step].state != TaskState.WAITING
    ]
    if cleared and not dry_run:
        _clear_and_reopen(run, steps, actor=actor, reason=reason)
    return cleared


def _give_conf(run: DagRun, conf: dict[str, Any], *, actor: str) -> None:
    earlier = {"conf": run.conf, "until": database_now().isoformat(), "changed_by": actor}
    run.earlier_confs = [*run.earlier_confs, earlier]
    run.conf = conf
    run.save(update_fields=["conf", "earlier_confs"])


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


def _clear_and_reopen(
    run: DagRun, steps: list[tuple[int, int]], *, actor: str, reason: str
) -> None:
    cleared = _CLEAR.all(
        run=run.pk,
        positions=[position for position, _ in steps],
        indexes=[map_index for _, map_index in steps],
        actor=actor,
        reason=reason,
    )
    graph = graph_of(run.version_id)
    if graph.is_gated:
        after = {later for position, _ in steps for later in graph.downstream[position]}
        _OUT_OF_LINE.count(run=run.pk, positions=sorted(after))
    call_in_after_commit(row.worker for row in cleared if row.state == TaskState.RESTARTING)
    reopened = _REOPEN.one(run=run.pk, actor=actor, reason=reason)
    want_replan(run.pk)
    if reopened is None or reopened.state == RunState.RUNNING:
        request_dispatch_after_commit(run.pk)


def _named(graph: Graph, selection: Selection) -> clearing.Named:
    found = clearing.named(graph, selection)
    if isinstance(found, list):
        raise BadSelection(problems=found)
    return found


def _absent(name: str, selection: Selection) -> Problem:
    place = list(selection.task_ids or ()).index(name)
    return Problem(f"task_ids[{place}]", "no_such_instance", f"the run has no {name} (any more)")
