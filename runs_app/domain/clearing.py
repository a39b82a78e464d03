"""Which tasks of a run run again: a pure choice from what is asked for, the graph and the rows."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from dags_app.domain.problems import suggestion
from runs_app.domain.graph import Graph
from runs_app.domain.states import TaskState
from skytrail.errors import Problem

#: What `only_failed` takes: failed, and not begun because of it, and cancelled.
FAILED = frozenset({TaskState.FAILED, TaskState.UPSTREAM_FAILED, TaskState.CANCELLED})

#: One of the many that a mapped task has become, as it is shown: `load[3]`.
_INSTANCE = re.compile(r"(?P<task_id>.+)\[(?P<map_index>0|[1-9][0-9]{0,8})\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which tasks: those named (None for all), with what is before and after them, and of these
    the failed. Of a mapped task `load` is all of it, and `load[3]` one instance.
    """

    task_ids: Sequence[str] | None = None
    upstream: bool = False
    downstream: bool = True
    only_failed: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """A task run, as far as the choice needs it."""

    position: int
    map_index: int
    state: TaskState


@dataclass(frozen=True, slots=True)
class Named:
    """What the names of a selection stand for in a graph."""

    positions: frozenset[int]
    #: `(position, map index)`
    instances: frozenset[tuple[int, int]] = frozenset()


def named(graph: Graph, selection: Selection) -> Named | list[Problem]:
    """What is named, or every name that means nothing in this graph."""
    if selection.task_ids is None:
        return Named(frozenset(range(len(graph))))
    positions, instances, problems = set(), set(), []
    for place, name in enumerate(selection.task_ids):
        task_id, map_index = _read(name)
        position = graph.position_of.get(task_id)
        if position is None:
            why = f"the run has no task {task_id!r}{suggestion(task_id, graph.position_of)}"
            problems.append(Problem(f"task_ids[{place}]", "unknown_task", why))
        elif map_index is None:
            positions.add(position)
        elif not graph.nodes[position].is_mapped:
            why = f"the task {task_id!r} is not mapped; name it without [{map_index}]"
            problems.append(Problem(f"task_ids[{place}]", "not_mapped", why))
        else:
            instances.add((position, map_index))
    return problems or Named(frozenset(positions), frozenset(instances))


def missing(graph: Graph, wanted: Named, rows: Iterable[Row]) -> list[str]:
    """The names of instances that are asked for and that the run has not, or has no longer."""
    there = {(row.position, row.map_index) for row in rows if row.state is not TaskState.REMOVED}
    return [
        f"{graph.nodes[position].task_id}[{map_index}]"
        for position, map_index in sorted(wanted.instances - there)
    ]


def choose(
    graph: Graph, selection: Selection, wanted: Named, rows: Collection[Row]
) -> list[tuple[int, int]]:
    """The `(position, map index)` of the rows that are cleared, ascending.

    With a task come the setup tasks that it is in the scope of, and their teardowns: what was set
    up for it has been torn down since. With the expansion of a mapped task come all its instances.
    """
    whole = set(wanted.positions)
    about = whole | {position for position, _ in wanted.instances}
    if selection.downstream:
        whole |= graph.descendants(about)
    if selection.upstream:
        whole |= graph.ancestors(about)
    chosen = [
        row
        for row in rows
        if (row.position in whole or (row.position, row.map_index) in wanted.instances)
        and not (selection.only_failed and row.state not in FAILED)
    ]
    expanded = {row.position for row in chosen if row.map_index < 0}
    expanded |= scopes(graph, {row.position for row in chosen})
    steps = {(row.position, row.map_index) for row in chosen}
    steps |= {(row.position, row.map_index) for row in rows if row.position in expanded}
    return sorted(steps)


def scopes(graph: Graph, positions: set[int]) -> set[int]:
    """The setup tasks that any of `positions` is in the scope of, with their teardowns.

    As in Airflow: the scope of a setup task is itself and what comes after it and before its
    teardown, or, where it has none, all that comes after it.
    """
    found: set[int] = set()
    setups = [node.position for node in graph.nodes if node.is_setup]
    while True:
        inside = positions | found
        added: set[int] = set()
        for setup in setups:
            after = graph.descendants({setup}) & inside
            teardowns = {p for p in graph.downstream[setup] if graph.nodes[p].is_teardown}
            before = graph.ancestors(teardowns) if teardowns else after
            if setup in inside or after & before:
                added |= {setup} | teardowns
        if added <= found:
            return found
        found |= added


def _read(name: str) -> tuple[str, int | None]:
    if match := _INSTANCE.fullmatch(name):
        return match["task_id"], int(match["map_index"])
    return name, None
