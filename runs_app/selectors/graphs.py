"""The graphs of versions. A version never changes, so a process needs to read each only once."""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID

from dags_app.domain.tasks import DECIDING, TriggerRule
from dags_app.models import DagVersion, VersionTask
from runs_app.domain.graph import Graph, Node


@lru_cache(maxsize=256)
def graph_of(version_pk: UUID) -> Graph:
    """The graph of a version."""
    version = DagVersion.objects.only("fail_fast").get(pk=version_pk)
    rows = version.tasks.defer("command", "outlets").order_by("position")
    return Graph([_node(row) for row in rows], fails_fast=version.fail_fast)


def _node(row: VersionTask) -> Node:
    return Node(
        position=row.position,
        task_id=row.task_id,
        upstream=tuple(row.upstream),
        trigger_rule=TriggerRule(row.trigger_rule),
        is_branch=row.type in DECIDING,
        is_gated=row.is_gated,
        is_mapped=row.expand is not None or row.expand_kwargs is not None,
        stops_all=row.stops_all,
        is_setup=row.setup,
        is_teardown=row.teardown,
        fails_run=row.on_failure_fail_dagrun,
        awaits_past=row.depends_on_past or row.wait_for_downstream,
        awaits_downstream=row.wait_for_downstream,
    )
