"""A definition's graph is that of the version which would be frozen from it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dags_app.domain.parse import parse
from runs_app.selectors.graphs import graph_of as graph_of_version
from tests.factories import save_dag
from workers.local.graphs import graph_of

pytestmark = pytest.mark.django_db


def test_a_definition_and_its_version_have_the_same_graph() -> None:
    tasks = {
        "start": {"setup": True},
        "decide": {
            "type": "branch",
            "value": "x",
            "cases": {"x": ["many"]},
            "wait_for_downstream": True,
        },
        "many": {"expand": {"n": [1, 2]}, "depends_on_past": True},
        "stop": {"type": "short_circuit", "value": "{{ params.go }}"},
        "latest": {"type": "latest_only", "trigger_rule": "none_failed"},
        "end": {"teardown": True, "on_failure_fail_dagrun": True},
    }
    graph = {
        "end": ["start", "many", "latest"],
        "many": ["decide"],
        "decide": ["start"],
        "latest": ["stop"],
        "stop": ["start"],
        "start": [],
    }
    dag = save_dag(graph, tasks=tasks, fail_fast=False, max_active_tasks=3)
    assert dag.version is not None
    frozen = graph_of_version(dag.version.pk)
    local = graph_of(parse(dag.version.spec))
    by_name = {node.task_id: node for node in local.nodes}
    assert set(by_name) == {node.task_id for node in frozen.nodes}
    assert local.fails_fast == frozen.fails_fast
    names = [node.task_id for node in frozen.nodes]
    for node in frozen.nodes:
        ours = by_name[node.task_id]
        assert {local.nodes[p].task_id for p in ours.upstream} == {names[p] for p in node.upstream}
        # Positions differ where tasks are written in another order; all else is the same.
        assert replace(ours, position=0, upstream=()) == replace(node, position=0, upstream=())
