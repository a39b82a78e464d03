"""What happens next in a run: a pure function of its graph and of where its tasks stand.

The order in which tasks ended, or messages arrived, plays no part: the plan for a set of states is
always the same, so it may be made late, twice, or by two dispatchers one after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from runs_app.domain.graph import Graph, Node
from runs_app.domain.states import RunState, TaskState
from runs_app.domain.trigger_rules import Tally, Verdict, judge


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one task of the run stands; `chosen` is what a branch decided to go on with."""

    state: TaskState
    chosen: frozenset[int] | None = None


# What comes after the tasks that a branch chose: found out once a plan, and only if it matters.
_Beyond: TypeAlias = dict[frozenset[int], set[int]]


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
    beyond: _Beyond = {}
    result = Plan()
    for node in graph.nodes:
        if now[node.position] is not TaskState.WAITING:
            continue
        match _verdict(graph, node, now, standings, beyond):
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
    beyond: _Beyond = {}
    ready = []
    for position in towards:
        if now[position] is not TaskState.WAITING:
            continue
        verdict = _verdict(graph, graph.nodes[position], now, standings, beyond)
        if verdict is Verdict.RUN:
            ready.append(position)
        elif verdict is not Verdict.WAIT:
            return None
    return ready


def rollup(leaves: Iterable[TaskState]) -> RunState:
    """How a run ends, from the states of its leaves (Airflow's rule): one failed leaf fails it."""
    good = {TaskState.SUCCESS, TaskState.SKIPPED, TaskState.REMOVED}
    return RunState.SUCCESS if all(state in good for state in leaves) else RunState.FAILED


def _verdict(
    graph: Graph,
    node: Node,
    now: Mapping[int, TaskState],
    standings: Mapping[int, Standing],
    beyond: _Beyond,
) -> Verdict:
    if any(_passed_over(graph, node, standings[up], beyond) for up in node.upstream):
        return Verdict.SKIP
    return judge(node.trigger_rule, Tally.of(now[parent] for parent in node.upstream))


def _passed_over(graph: Graph, node: Node, parent: Standing, beyond: _Beyond) -> bool:
    """Whether `parent` is a branch that went on with others, none of which leads to `node`."""
    if parent.chosen is None or parent.state is not TaskState.SUCCESS:
        return False
    if node.position in parent.chosen:
        return False
    # A join behind a chosen task may also hang on the branch itself: it waits for that task.
    if len(node.upstream) == 1:
        return True
    if parent.chosen not in beyond:
        beyond[parent.chosen] = graph.descendants(parent.chosen)
    return node.position not in beyond[parent.chosen]
