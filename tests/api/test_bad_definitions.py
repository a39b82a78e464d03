"""Definitions that cannot be used: what is wrong, where, and nothing half-saved."""

from __future__ import annotations

from typing import Any

import pytest

from dags_app.models import Dag, DagVersion, Task
from tests.api.checking import CheckedClient

GOOD: dict[str, Any] = {"name": "etl", "tasks": [{"id": "a"}, {"id": "b", "depends_on": ["a"]}]}

#: What is sent instead of GOOD's fields, and where the error points.
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"name": None}, "name"),
    "a name with a slash": ({"name": "a/b"}, "name"),
    "a name with an emoji": ({"name": "etl🚂"}, "name"),
    "a name that is too long": ({"name": "n" * 251}, "name"),
    "no tasks": ({"tasks": []}, "tasks"),
    "10,001 tasks": ({"tasks": [{"id": f"t{i}"} for i in range(10_001)]}, "tasks"),
    "an unknown type": ({"tasks": [{"id": "a", "type": "cobol"}]}, "tasks[0].type"),
    "an unknown key": ({"retires": 3}, "retires"),
    "an unknown key of a task": ({"tasks": [{"id": "a", "retires": 3}]}, "tasks[0].retires"),
    "a task twice": ({"tasks": [{"id": "a"}, {"id": "a"}]}, "tasks[1].id"),
    "an unknown upstream": (
        {"tasks": [{"id": "a", "depends_on": ["b"]}]},
        "tasks[0].depends_on[0]",
    ),
    "a task that waits for itself": (
        {"tasks": [{"id": "a", "depends_on": ["a"]}]},
        "tasks[0].depends_on[0]",
    ),
    "a cycle": (
        {"tasks": [{"id": "a", "depends_on": ["b"]}, {"id": "b", "depends_on": ["a"]}]},
        "tasks",
    ),
    "a cron that is none": ({"cron": "every day"}, "cron"),
    "a cron that never fires": ({"cron": "0 0 30 2 *"}, "cron"),
    "an interval of nothing": ({"schedule": {"interval_seconds": 0}}, "schedule"),
    "an unknown time zone": ({"timezone": "Mars/Olympus"}, "timezone"),
    "a retry count below zero": ({"tasks": [{"id": "a", "retries": -1}]}, "tasks[0].retries"),
    "a parameter that is no schema": ({"params": {"n": {"type": "numbr"}}}, "params.n"),
}


@pytest.mark.parametrize("what", BAD)
def test_it_is_refused_with_the_place(what: str, as_alice: CheckedClient) -> None:
    changes, place = BAD[what]
    answer = as_alice.post("dags", GOOD | changes)
    assert answer.status_code == 400, answer.content[:500]
    problems = answer.json()["error"]["problems"]
    assert any(problem["path"].startswith(place) for problem in problems), problems
    assert all(problem["message"] for problem in problems)
    assert not Dag.objects.exists()
    assert not DagVersion.objects.exists()
    assert not Task.objects.exists()


def test_all_problems_are_listed_at_once(as_alice: CheckedClient) -> None:
    answer = as_alice.post(
        "dags", GOOD | {"timezone": "Mars", "tasks": [{"id": "a", "type": "x"}, {"id": "b/c"}]}
    )
    paths = {problem["path"] for problem in answer.json()["error"]["problems"]}
    assert {"timezone", "tasks[0].type", "tasks[1].id"} <= paths


@pytest.mark.parametrize("what", [name for name in BAD if name != "no name"])
def test_a_dag_that_is_there_stays_as_it_was(what: str, as_alice: CheckedClient) -> None:
    as_alice.post("dags", GOOD)
    before = as_alice.get("dags/etl").json()
    assert as_alice.put("dags/etl", GOOD | BAD[what][0]).status_code == 400
    assert as_alice.get("dags/etl").json() == before
