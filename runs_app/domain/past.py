"""Waiting for the run before: `depends_on_past` and `wait_for_downstream`."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from runs_app.domain.graph import Graph
from runs_app.domain.states import TaskState

#: Ends of the same task in the run before with which a task may begin (Airflow's rule).
GOOD = frozenset({TaskState.SUCCESS, TaskState.SKIPPED})


def awaited(graph: Graph, position: int) -> list[str]:
    """The tasks of the run before that the task at `position` waits for."""
    node = graph.nodes[position]
    behind = graph.downstream[position] if node.awaits_downstream else ()
    return [node.task_id, *(graph.nodes[after].task_id for after in behind)]


def held(graph: Graph, before: Mapping[str, Collection[TaskState]]) -> frozenset[int]:
    """The positions that have to wait for the run before.

    `before` has the states of its tasks by task id, of a mapped one those of its instances. A task
    that it does not have is not waited for.
    """
    return frozenset(
        node.position
        for node in graph.nodes
        if node.awaits_past
        and not all(
            state in GOOD
            for task_id in awaited(graph, node.position)
            for state in before.get(task_id, ())
        )
    )
