"""The graph of a definition that no version has been frozen from."""

from __future__ import annotations

from dags_app.domain.spec import DagSpec
from dags_app.domain.tasks import DECIDING, TaskFields
from runs_app.domain.graph import Graph, Node


def graph_of(spec: DagSpec) -> Graph:
    """What `runs_app.selectors.graphs` makes of the version of `spec`."""
    tasks = spec.in_order()
    position_of = {task.id: position for position, task in enumerate(tasks)}
    is_limited = spec.max_active_tasks is not None
    return Graph(
        [
            _node(
                task,
                position=position,
                upstream=sorted({position_of[name] for name in task.depends_on}),
                is_gated=is_limited or task.pool is not None,
            )
            for position, task in enumerate(tasks)
        ],
        fails_fast=spec.fail_fast,
    )


def _node(task: TaskFields, *, position: int, upstream: list[int], is_gated: bool) -> Node:
    return Node(
        position=position,
        task_id=task.id,
        upstream=tuple(upstream),
        trigger_rule=task.trigger_rule,
        is_branch=task.type in DECIDING,
        is_gated=is_gated,
        is_mapped=task.is_mapped,
        stops_all=getattr(task, "ignore_downstream_trigger_rules", False),
        is_setup=task.setup,
        is_teardown=task.teardown,
        fails_run=task.on_failure_fail_dagrun,
        awaits_past=task.depends_on_past or task.wait_for_downstream,
        awaits_downstream=task.wait_for_downstream,
    )
