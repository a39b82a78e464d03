"""The graphs of versions. A version never changes, so a process needs to read each only once."""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID

from dags_app.domain.spec import TriggerRule
from dags_app.models import VersionTask
from runs_app.domain.graph import Graph, Node


@lru_cache(maxsize=256)
def graph_of(version_pk: UUID) -> Graph:
    """The graph of a version."""
    rows = VersionTask.objects.filter(version_id=version_pk).order_by("position")
    return Graph(
        [
            Node(
                position=position,
                task_id=task_id,
                upstream=tuple(upstream),
                trigger_rule=TriggerRule(rule),
                is_branch=kind == "branch",
                is_gated=is_gated,
            )
            for position, task_id, upstream, rule, kind, is_gated in rows.values_list(
                "position", "task_id", "upstream", "trigger_rule", "type", "is_gated"
            )
        ]
    )
