"""What happens next in a run: a pure function of its graph and of where its tasks stand.

The order in which tasks ended, or messages arrived, plays no part: the plan for a set of states is
always the same, so it may be made late, twice, or by two dispatchers one after the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from runs_app.domain.graph import Graph, Instance, Node
from runs_app.domain.states import RunState, TaskState
from runs_app.domain.trigger_rules import Tally, Verdict, judge

#: What `fail_fast` reacts to.
_BROKEN = frozenset({TaskState.FAILED, TaskState.UPSTREAM_FAILED, TaskState.CANCELLED})


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one task of the run stands; `chosen` is what a branch decided to go on with.

    Of a mapped task `state` is that of its expansion, and `instances` holds the states of its
    instances by map index, those of an expansion before a clear among them: the first `length` are
    the ones that there are now.
    """

    state: TaskState
    chosen: frozenset[int] | None = None
    instances: Mapping[int, TaskState] | None = None
    length: int | None = None

    @property
    def is_expanded(self) -> bool:
        """Whether it is its instances that count."""
        return self.length is not None and self.state is TaskState.SUCCESS

    def current(self) -> Iterator[tuple[int, TaskState]]:
        """The instances that there are, by map index."""
        if self.is_expanded:
            for index, state in (self.instances or {}).items():
                if index < (self.length or 0):
                    yield index, state

    def counted(self) -> list[TaskState]:
        """The states that a trigger rule counts: of each instance, or of the task."""
        return [state for _, state in self.current()] if self.is_expanded else [self.state]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written. Positions, each list ascending; instances of mapped tasks apart."""

    ready: list[int] = field(default_factory=list)
    ready_instances: list[Instance] = field(default_factory=list)
    skipped: list[int] = field(default_factory=list)
    upstream_failed: list[int] = field(default_factory=list)
    #: Instances that an expansion after a clear has no more values for.
    removed: list[Instance] = field(default_factory=list)
    #: Instances that are not to be begun any more, and positions where something is to be stopped.
    skipped_instances: list[Instance] = field(default_factory=list)
    stopped: list[int] = field(default_factory=list)
    #: How the run ends, once nothing in it is left to do.
    ends: RunState | None = None


#: A row as planning sees it: position, map index, state, what a branch chose, and how many
#: instances an expansion has yielded.
Row: TypeAlias = tuple[int, int, TaskState, Collection[int] | None, int | None]


def standings_of(rows: Iterable[Row]) -> dict[int, Standing]:
    """Where each task stands, from the rows of a run: of a mapped task there are several."""
    instances: dict[int, dict[int, TaskState]] = {}
    tasks: dict[int, tuple[TaskState, Collection[int] | None, int | None]] = {}
    for position, map_index, state, chosen, length in rows:
        if map_index < 0:
            tasks[position] = state, chosen, length
        else:
            instances.setdefault(position, {})[map_index] = state
    return {
        position: Standing(
            state,
            None if chosen is None else frozenset(chosen),
            instances=instances.get(position),
            length=length,
        )
        for position, (state, chosen, length) in tasks.items()
    }


def plan(
    graph: Graph, standings: Mapping[int, Standing], *, held: Collection[int] = frozenset()
) -> Plan:
    """The plan for the whole graph.

    `standings` has every position; `held` are those whose past is not yet over. Skips and failures
    take effect within the plan itself, so that one pass in topological order settles everything
    behind them.
    """
    counted = {position: standing.counted() for position, standing in standings.items()}
    decisions = _Decisions(graph, standings)
    result = Plan()
    left = False
    is_broken = graph.fails_fast and any(
        _BROKEN.intersection(states) for states in counted.values()
    )
    for node in graph.nodes:
        position, standing = node.position, standings[node.position]
        if is_broken and not node.is_teardown:
            left |= _stop(position, standing, counted, result)
            continue
        left |= _instances(position, standing, result)
        if standing.state is not TaskState.WAITING:
            left |= not standing.state.is_final
            continue
        match _verdict(node, counted, decisions):
            case Verdict.RUN:
                left = True
                if position not in held:
                    result.ready.append(position)
            case Verdict.SKIP:
                counted[position] = [TaskState.SKIPPED]
                result.skipped.append(position)
                _drop_instances(position, standing, result)
            case Verdict.UPSTREAM_FAILED:
                counted[position] = [TaskState.UPSTREAM_FAILED]
                result.upstream_failed.append(position)
                _drop_instances(position, standing, result)
            case Verdict.WAIT:
                left = True
    if left:
        return result
    if is_broken:  # its leaves were skipped, and would say that all is well
        return replace(result, ends=RunState.FAILED)
    ends = rollup(state for position in graph.leaves for state in counted[position])
    return replace(result, ends=ends)


def _instances(position: int, standing: Standing, result: Plan) -> bool:
    """What becomes of the instances of a mapped task; whether any of them is left to do."""
    if standing.instances is None:
        return False
    if standing.state.is_final:
        _drop_instances(position, standing, result)
    waiting = [index for index, state in standing.current() if state is TaskState.WAITING]
    result.ready_instances.extend(Instance(position, index) for index in sorted(waiting))
    return bool(waiting) or any(
        not state.is_final and state is not TaskState.WAITING
        for state in standing.instances.values()
    )


def _drop_instances(position: int, standing: Standing, result: Plan) -> None:
    """Removes instances of an earlier expansion that wait for a turn that will not come."""
    current = {index for index, _ in standing.current()}
    result.removed.extend(
        Instance(position, index)
        for index, state in sorted((standing.instances or {}).items())
        if state is TaskState.WAITING and index not in current
    )


def _stop(
    position: int, standing: Standing, counted: dict[int, list[TaskState]], result: Plan
) -> bool:
    """After the first failure what waits is skipped, what is under way is stopped.

    Whether anything of it is left to do.
    """
    _drop_instances(position, standing, result)
    if standing.state is TaskState.WAITING:
        result.skipped.append(position)
    result.skipped_instances.extend(
        Instance(position, index)
        for index, state in standing.current()
        if state is TaskState.WAITING
    )
    counted[position] = [
        TaskState.SKIPPED if state is TaskState.WAITING else state for state in counted[position]
    ]
    states = [standing.state, *(standing.instances or {}).values()]
    if any(not state.is_final and state is not TaskState.WAITING for state in states):
        result.stopped.append(position)
        return True
    return False


def ready_among(
    graph: Graph,
    towards: Iterable[int],
    standings: Mapping[int, Standing],
    *,
    held: Collection[int] = frozenset(),
) -> list[int] | None:
    """Which of `towards` are ready, or None if one of them needs the whole graph to be planned.

    The cheap look for the case that nearly always holds: all that came before went well.
    `standings` has `towards` and their direct upstream positions.
    """
    counted = {position: standing.counted() for position, standing in standings.items()}
    decisions = _Decisions(graph, standings)
    if decisions.stopped:
        return None
    ready = []
    for position in towards:
        if standings[position].state is not TaskState.WAITING:
            continue
        node = graph.nodes[position]
        verdict = _verdict(node, counted, decisions)
        if verdict is Verdict.RUN:
            if graph.may_stop and not all(
                _went_well(graph.nodes[p], counted) for p in node.upstream
            ):
                return None  # a short circuit further up may have stopped it
            if position not in held:
                ready.append(position)
        elif verdict is not Verdict.WAIT:
            return None
    return ready


def _went_well(node: Node, counted: Mapping[int, list[TaskState]]) -> bool:
    """Whether all is well up to a task and with it: no short circuit has let only it go on."""
    states = counted[node.position]
    return not node.is_teardown and all(state is TaskState.SUCCESS for state in states)


def rollup(leaves: Iterable[TaskState]) -> RunState:
    """How a run ends, from the states of its leaves (Airflow's rule): one failed leaf fails it."""
    good = {TaskState.SUCCESS, TaskState.SKIPPED, TaskState.REMOVED}
    return RunState.SUCCESS if all(state in good for state in leaves) else RunState.FAILED


def _verdict(node: Node, counted: Mapping[int, list[TaskState]], decisions: _Decisions) -> Verdict:
    tally = Tally.of(
        [state for parent in node.upstream for state in counted[parent]],
        setups=[state for parent in decisions.setups_before(node) for state in counted[parent]],
    )
    verdict = judge(node.trigger_rule, tally)
    if verdict is not Verdict.UPSTREAM_FAILED and decisions.pass_over(node):
        # Not yet, where another of those before it may still fail: that counts more (ADR 0019).
        return Verdict.SKIP if tally.done else Verdict.WAIT
    return verdict


class _Decisions:
    """What the branch tasks of a run have decided, and those that let nothing follow."""

    def __init__(self, graph: Graph, standings: Mapping[int, Standing]) -> None:
        self.graph = graph
        self.chosen = {
            position: standing.chosen
            for position, standing in standings.items()
            if standing.chosen is not None and standing.state is TaskState.SUCCESS
        }
        #: All that comes after what a branch chose: found out once, and only if it matters.
        self.beyond: dict[int, set[int]] = {}
        stops = [p for p, chosen in self.chosen.items() if not chosen and graph.nodes[p].stops_all]
        #: What is skipped whatever its rule says, because a short circuit lets nothing follow.
        self.stopped = graph.descendants(stops) if stops else frozenset[int]()

    def setups_before(self, node: Node) -> list[int]:
        """The setup tasks directly before a node."""
        return [parent for parent in node.upstream if self.graph.nodes[parent].is_setup]

    def pass_over(self, node: Node) -> bool:
        """Whether a decision has gone against `node`; teardown tasks are never concerned."""
        if not self.chosen or node.is_teardown:
            return False
        return node.position in self.stopped or any(
            self._passed_over(node, parent) for parent in node.upstream
        )

    def _passed_over(self, node: Node, parent: int) -> bool:
        """Whether `parent` is a branch that went on with others, none of which leads to `node`."""
        chosen = self.chosen.get(parent)
        if chosen is None or node.position in chosen:
            return False
        if len(node.upstream) == 1:
            return True
        # A join behind a chosen task may also hang on the branch itself: it waits for that task.
        if parent not in self.beyond:
            self.beyond[parent] = self.graph.descendants(chosen)
        return node.position not in self.beyond[parent]
