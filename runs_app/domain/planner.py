"""What happens next in a run: a pure function of its graph and of where its tasks stand.

The order in which tasks ended, or messages arrived, plays no part: the plan for a set of states is
always the same, so it may be made late, twice, or by two dispatchers one after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from runs_app.domain.graph import Graph, Node
from runs_app.domain.states import RunState, TaskState
from runs_app.domain.trigger_rules import Tally, Verdict, judge


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one task of the run stands; `chosen` is what a branch decided to go on with."""

    state: TaskState
    chosen: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written. Positions, each list ascending."""

    ready: list[int] = field(default_factory=list)
    skipped: list[int] = field(default_factory=list)
    upstream_failed: list[int] = field(default_factory=list)
    #: How the run ends, once nothing in it is left to do.
    ends: RunState | None = None


def plan(graph: Graph, standings: Mapping[int, Standing]) -> Plan:
    """The plan for the whole graph.

    `standings` has every position. Skips and failures take effect within the plan itself, so that
    one pass in topological order settles everything behind them.
    """
    now = {position: standing.state for position, standing in standings.items()}
    decisions = _Decisions(graph, standings)
    result = Plan()
    for node in graph.nodes:
        if now[node.position] is not TaskState.WAITING:
            continue
        match _verdict(node, now, decisions):
            case Verdict.RUN:
                result.ready.append(node.position)
            case Verdict.SKIP:
                now[node.position] = TaskState.SKIPPED
                result.skipped.append(node.position)
            case Verdict.UPSTREAM_FAILED:
                now[node.position] = TaskState.UPSTREAM_FAILED
                result.upstream_failed.append(node.position)
    if all(state.is_final for state in now.values()):
        ends = rollup(now[position] for position in graph.leaves)
        return Plan([], result.skipped, result.upstream_failed, ends)
    return result


def ready_among(
    graph: Graph, towards: Iterable[int], standings: Mapping[int, Standing]
) -> list[int] | None:
    """Which of `towards` are ready, or None if one of them needs the whole graph to be planned.

    The cheap look for the case that nearly always holds: all that came before went well.
    `standings` has `towards` and their direct upstream positions.
    """
    now = {position: standing.state for position, standing in standings.items()}
    decisions = _Decisions(graph, standings)
    ready = []
    for position in towards:
        if now[position] is not TaskState.WAITING:
            continue
        verdict = _verdict(graph.nodes[position], now, decisions)
        if verdict is Verdict.RUN:
            ready.append(position)
        elif verdict is not Verdict.WAIT:
            return None
    return ready


def rollup(leaves: Iterable[TaskState]) -> RunState:
    """How a run ends, from the states of its leaves (Airflow's rule): one failed leaf fails it."""
    good = {TaskState.SUCCESS, TaskState.SKIPPED, TaskState.REMOVED}
    return RunState.SUCCESS if all(state in good for state in leaves) else RunState.FAILED


def _verdict(node: Node, now: Mapping[int, TaskState], decisions: _Decisions) -> Verdict:
    if decisions.chosen and any(decisions.passed_over(node, parent) for parent in node.upstream):
        return Verdict.SKIP
    return judge(node.trigger_rule, Tally.of([now[parent] for parent in node.upstream]))


class _Decisions:
    """What the branch tasks of a run have decided."""

    def __init__(self, graph: Graph, standings: Mapping[int, Standing]) -> None:
        self.graph = graph
        self.chosen = {
            position: standing.chosen
            for position, standing in standings.items()
            if standing.chosen is not None and standing.state is TaskState.SUCCESS
        }
        #: All that comes after what a branch chose: found out once, and only if it matters.
        self.beyond: dict[int, set[int]] = {}

    def passed_over(self, node: Node, parent: int) -> bool:
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
