"""Dispatch: looking at where a run stands, writing what follows, and sending what is ready.

The one place where a run's tasks are found ready, skipped or upstream_failed and where a run ends.
It may be called at any time, by anybody, twice at once: the run's row is locked first, and what is
ready is computed from the rows, never from who called.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from runs_app.actions import admission, promotion
from runs_app.actions.cancellation import Stopped, stopping
from runs_app.actions.consigning import PLACE, QUEUED, Place, consign
from runs_app.actions.transitions import Move, run_move, task_move
from runs_app.dispatching import (
    call_in_after_commit,
    get_dispatcher,
    publish_after_commit,
    request_dispatch_after_commit,
)
from runs_app.domain import blocks, planner
from runs_app.domain.graph import Graph, Instance, Step
from runs_app.domain.states import RunState, TaskState
from runs_app.domain.trigger_rules import EAGER
from runs_app.selectors import pasts
from runs_app.selectors.graphs import graph_of
from skytrail.database.statement import Nothing, Statement

#: Up to this size the whole graph is planned each time: it costs next to nothing, and heals.
SMALL = 200


@dataclass(frozen=True)
class _Run:
    pk: UUID
    state: str
    dag_pk: UUID
    dag_id: str
    version_id: UUID


_LOCK = Statement(
    "lock_run",
    """
SELECT r.id AS pk, r.state, r.dag_id AS dag_pk, d.dag_id, r.version_id
FROM skytrail_dag_run r JOIN skytrail_dag d ON d.id = r.dag_id
WHERE r.id = %(run)s::uuid AND r.state IN ('running', 'cancelling')
FOR NO KEY UPDATE OF r
""",
    _Run,
)

_LOAD_ALL = Statement(
    "load_run",
    f"SELECT {PLACE} FROM skytrail_task_run m WHERE m.run_id = %(run)s::uuid",
    Place,
)
_LOAD_SOME = Statement(
    "load_places",
    f"""
SELECT {PLACE} FROM skytrail_task_run m
WHERE m.run_id = %(run)s::uuid AND m.position = ANY (%(positions)s::int[])
""",
    Place,
)


@dataclass(frozen=True)
class _Position:
    position: int


_UNFINISHED = Statement(
    "unfinished",
    """
SELECT position FROM skytrail_task_run
WHERE run_id = %(run)s::uuid AND finished_at IS NULL LIMIT 1
""",
    _Position,
)

_AWAITED = Statement(
    "awaited",
    """
SELECT position FROM skytrail_task_run
WHERE run_id = %(run)s::uuid AND position = ANY (%(positions)s::int[]) AND finished_at IS NULL
LIMIT 1
""",
    _Position,
)

_QUEUE = task_move(
    "queue",
    Move(
        guard="""t.run_id = %(run)s::uuid AND t.position = ANY (%(positions)s::int[])
    AND t.map_index = -1 AND t.state = 'waiting' AND NOT t.is_gated""",
        to="'queued'",
        reason="'ready'",
        sets=QUEUED,
        returning=PLACE,
    ),
    Place,
)

_OF_INSTANCES = """JOIN unnest(%(positions)s::int[], %(indexes)s::int[]) AS i (position, map_index)
      ON i.position = t.position AND i.map_index = t.map_index"""

_QUEUE_INSTANCES = task_move(
    "queue_instances",
    Move(
        joins=_OF_INSTANCES,
        guard="t.run_id = %(run)s::uuid AND t.state = 'waiting' AND NOT t.is_gated",
        to="'queued'",
        reason="'ready'",
        sets=QUEUED,
        returning=PLACE,
    ),
    Place,
)

_SETTLE = task_move(
    "settle",
    Move(
        joins="""JOIN unnest(%(positions)s::int[], %(indexes)s::int[], %(states)s::text[])
      AS s (position, map_index, state)
      ON s.position = t.position AND s.map_index = t.map_index""",
        guard="t.run_id = %(run)s::uuid AND t.state = 'waiting'",
        to="s.state",
        reason="'trigger rule'",
        returning="m.position",
    ),
    _Position,
)

_GATE = Statement(
    "ready_for_a_slot",
    """
UPDATE skytrail_task_run SET ready_at = clock_timestamp()
WHERE run_id = %(run)s::uuid AND position = ANY (%(positions)s::int[]) AND map_index = -1
  AND state = 'waiting' AND is_gated AND ready_at IS NULL
""",
    Nothing,
)

_GATE_INSTANCES = Statement(
    "instances_ready_for_a_slot",
    f"""
UPDATE skytrail_task_run m SET ready_at = clock_timestamp()
FROM skytrail_task_run t {_OF_INSTANCES}
WHERE m.id = t.id AND t.run_id = %(run)s::uuid
  AND t.state = 'waiting' AND t.is_gated AND t.ready_at IS NULL
""",
    Nothing,
)

_STOP = task_move(
    "fail_fast",
    stopping(
        "t.run_id = %(run)s::uuid AND t.position = ANY (%(positions)s::int[])"
        " AND t.state <> 'waiting'",
        reason="fail fast",
    ),
    Stopped,
)

_PLANNED = Statement(
    "planned",
    """
UPDATE skytrail_dag_run SET planned_at = clock_timestamp(), replan_wanted = false
WHERE id = %(run)s::uuid
""",
    Nothing,
)


@dataclass(frozen=True)
class _Ended:
    others_may_wait: bool


@dataclass(frozen=True)
class _EndedWell:
    dag_pk: UUID
    version_id: UUID
    others_may_wait: bool


# A run is made to wait only where its DAG has many; where it has few, nobody is asked. One that
# slips through between is promoted by the next recovery tick.
_OTHERS_MAY_WAIT = """EXISTS (
    SELECT FROM skytrail_dag_run q WHERE q.dag_id = m.dag_id AND q.state = 'queued'
  ) OR (
    SELECT 2 * count(a.id) > min(d.runs_at_once)
    FROM skytrail_dag d LEFT JOIN skytrail_dag_run a
      ON a.dag_id = d.id AND a.state IN ('running', 'cancelling')
    WHERE d.id = m.dag_id
  ) AS others_may_wait"""

_END = run_move(
    "end_run",
    Move(
        guard="t.id = %(run)s::uuid AND t.state IN ('running', 'cancelling')",
        to="""CASE
      WHEN t.timed_out THEN 'failed'
      WHEN t.state = 'cancelling' THEN 'cancelled'
      ELSE %(to)s::text END""",
        reason="CASE WHEN m.timed_out THEN 'run timeout' ELSE 'all tasks ended' END",
        sets="planned_at = clock_timestamp(), replan_wanted = false",
        returning=_OTHERS_MAY_WAIT,
    ),
    _Ended,
)

# The happy end in one statement, without a plan. Where it waits for somebody who holds the run, it
# looks at the run again but not at its tasks: whoever takes one back from success asks for a plan.
_END_WELL = run_move(
    "end_run_well",
    Move(
        guard="""t.id = %(run)s::uuid AND t.state = 'running' AND NOT t.replan_wanted
    AND NOT EXISTS (
      SELECT FROM skytrail_task_run x WHERE x.run_id = %(run)s::uuid AND x.state <> 'success'
    )""",
        to="'success'",
        reason="'all tasks ended'",
        sets="planned_at = clock_timestamp()",
        returning=f"m.dag_id AS dag_pk, m.version_id, {_OTHERS_MAY_WAIT}",
    ),
    _EndedWell,
)


def dispatch(run_pk: UUID, towards: Sequence[int] | None = None, *, actor: str) -> str:
    """Moves a run on as far as its rows allow, and says in a few words what came of it.

    `towards` are positions before which something has just ended; None has the whole graph planned.
    A cheap look at `towards` suffices as long as all that came before them went well; where nothing
    comes any more, one at whether all did.
    """
    if towards is not None and not towards and (ended := _END_WELL.one(run=run_pk, actor=actor)):
        graph = graph_of(ended.version_id)
        _give_out(graph, ended.dag_pk if ended.others_may_wait else None)
        _tell_followers(graph, run_pk)
        return f"run ended: {RunState.SUCCESS}"
    with transaction.atomic():
        run = _LOCK.one(run=run_pk)
        if run is None:
            return "not running"
        step = _Step(run, graph_of(run.version_id), actor)
        if towards and step.graph.is_mapped and step.are_awaited(towards):
            pass  # a small graph of many rows: they are not all read at each end of an instance
        elif towards is None or len(step.graph) <= SMALL or not step.look_ahead(towards):
            step.plan_all()
    _give_out(step.graph, run.dag_pk if step.made_room else None)
    _tell_followers(step.graph, run_pk)
    return step.summary


def _tell_followers(graph: Graph, run_pk: UUID) -> None:
    """Has the run after this one planned, where what it waits for may just have ended."""
    if graph.awaits_past:
        for follower in pasts.followers(run_pk):
            get_dispatcher().request_dispatch(follower)


def _give_out(graph: Graph, room_in: UUID | None) -> None:
    """Gives out slots, and the place of a run of the DAG `room_in`, that have become free.

    In transactions of their own: they touch rows of other runs, which nobody may do while holding
    one.
    """
    if graph.is_gated:
        admission.admit()
    if room_in is not None:
        promotion.promote(room_in)


class _Step:
    """One dispatch of one locked run."""

    def __init__(self, run: _Run, graph: Graph, actor: str) -> None:
        self.run = run
        self.graph = graph
        self.actor = actor
        self.places: dict[Step, Place] = {}
        self.made_room = False
        self.summary = "nothing to do"

    def are_awaited(self, towards: Iterable[int]) -> bool:
        """Whether each of `towards` still waits for something that has not ended.

        What a failure settles early is left to the plan that its end asks for.
        """
        nodes = [self.graph.nodes[position] for position in towards]
        return all(
            node.trigger_rule not in EAGER
            and _AWAITED.one(run=self.run.pk, positions=list(node.upstream)) is not None
            for node in nodes
        )

    def look_ahead(self, towards: Iterable[int]) -> bool:
        """Queues what is ready among `towards`; false if the whole graph has to be planned."""
        wanted = set(towards)
        for position in towards:
            wanted.update(self.graph.nodes[position].upstream)
            wanted |= blocks.reach(self.graph, position)
        if wanted:
            self._load(_LOAD_SOME.all(run=self.run.pk, positions=sorted(wanted)))
        held = pasts.held(self.graph, self.run.pk)
        ready = planner.ready_among(self.graph, towards, self._standings(), held=held)
        if ready is None:
            return False
        if ready:
            self._queue(ready)
            return True
        # Nothing to start: perhaps because this was the last thing to end.
        return _UNFINISHED.one(run=self.run.pk) is not None

    def plan_all(self) -> None:
        """Plans the whole graph and writes what follows."""
        self._load(_LOAD_ALL.all(run=self.run.pk))
        held = pasts.held(self.graph, self.run.pk)
        plan = planner.plan(self.graph, self._standings(), held=held)
        self._settle(plan)
        if plan.ends:
            self._end(plan.ends)
            return
        _PLANNED.count(run=self.run.pk)
        if self.run.state != RunState.RUNNING:
            return
        if plan.stopped:
            self._stop(plan.stopped)
        if plan.ready or plan.ready_instances:
            self._queue(plan.ready, plan.ready_instances)

    def _load(self, rows: Iterable[Place]) -> None:
        self.places = {row.step: row for row in rows}

    def _standings(self) -> dict[int, planner.Standing]:
        position_of = self.graph.position_of
        return planner.standings_of(
            (
                place.position,
                place.map_index,
                TaskState(place.state),
                None if place.chosen is None else [position_of[name] for name in place.chosen],
                place.map_length,
            )
            for place in self.places.values()
        )

    def _settle(self, plan: planner.Plan) -> None:
        settled = [
            *((position, -1, TaskState.SKIPPED) for position in plan.skipped),
            *((position, -1, TaskState.UPSTREAM_FAILED) for position in plan.upstream_failed),
            *((*instance, TaskState.SKIPPED) for instance in plan.skipped_instances),
            *((*instance, TaskState.REMOVED) for instance in plan.removed),
        ]
        if settled:
            positions, indexes, states = zip(*settled, strict=True)
            _SETTLE.all(
                run=self.run.pk,
                positions=list(positions),
                indexes=list(indexes),
                states=list(states),
                actor=self.actor,
            )
            self.summary = f"settled {len(settled)}"

    def _stop(self, positions: Sequence[int]) -> None:
        stopped = _STOP.all(run=self.run.pk, positions=list(positions), actor=self.actor)
        call_in_after_commit(task.worker for task in stopped if task.state == TaskState.CANCELLING)
        if any(task.state == TaskState.CANCELLED for task in stopped):
            # What had not begun is over at once, and what waits for it can be settled.
            request_dispatch_after_commit(self.run.pk)

    def _queue(self, ready: Sequence[int], instances: Sequence[Instance] = ()) -> None:
        # What a message of an earlier block has claimed in the meantime is not queued again.
        queued: list[Place] = []
        if ready:
            if self.graph.is_gated:
                _GATE.count(run=self.run.pk, positions=list(ready))
            queued += _QUEUE.all(run=self.run.pk, positions=list(ready), actor=self.actor)
        if instances:
            which = {
                "positions": [instance.position for instance in instances],
                "indexes": [instance.map_index for instance in instances],
            }
            if self.graph.is_gated:
                _GATE_INSTANCES.count(run=self.run.pk, **which)
            queued += _QUEUE_INSTANCES.all(run=self.run.pk, **which, actor=self.actor)
        if not queued:
            return
        self.places.update({place.step: place for place in queued})
        consignment = consign(
            self.graph,
            dag_id=self.run.dag_id,
            run_pk=self.run.pk,
            places=self.places,
            queued=[place.step for place in queued],
        )
        publish_after_commit([consignment])
        self.summary = f"queued {len(queued)}"

    def _end(self, state: RunState) -> None:
        ended = _END.one(run=self.run.pk, to=state, actor=self.actor)
        self.made_room = ended is not None and ended.others_may_wait
        self.summary = f"run ended: {state}"
