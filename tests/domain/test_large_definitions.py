"""The largest definition is read quickly, a larger one refused, and a hostile one harms nobody."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from dags_app.domain.parse import BadDefinition, parse
from dags_app.domain.problems import MAX_PROBLEMS
from dags_app.domain.spec import MAX_EDGES, MAX_TASKS, checksum
from skytrail.documents import MAX_BYTES, read_json
from skytrail.errors import Problem
from tests.domain.definitions import dag

#: Seconds of computing. Some ten times what each takes; a quadratic search takes many times more.
LONG = 5.0


def problems(document: Any) -> list[Problem]:
    with pytest.raises(BadDefinition) as caught:
        parse(document)
    return list(caught.value.problems)


def layered(tasks: int, edges: int) -> dict[str, Any]:
    """`tasks` tasks and exactly `edges` dependencies."""
    each = -(-edges // (tasks - 100))
    document = dag(*({"id": f"t{i}", "depends_on": []} for i in range(tasks)))
    for i, task in enumerate(document["tasks"]):
        task["depends_on"] = [f"t{j}" for j in range(max(0, i - each), i)][: max(0, edges)]
        edges -= len(task["depends_on"])
    assert edges == 0
    return document


def test_the_largest_definition_is_read_in_a_moment() -> None:
    document = layered(MAX_TASKS, MAX_EDGES)
    raw = json.dumps(document, separators=(",", ":")).encode()
    assert len(raw) < MAX_BYTES
    started = time.process_time()
    spec = parse(read_json(raw))
    checksum(spec.canonical())
    assert time.process_time() - started < LONG
    assert len(spec.tasks) == MAX_TASKS


def test_one_task_more_is_too_many() -> None:
    (problem,) = problems(dag(*({"id": f"t{i}"} for i in range(MAX_TASKS + 1))))
    assert (problem.path, problem.code) == ("tasks", "too_many_tasks")
    assert "at most 10,000 tasks, not 10,001; make it several DAGs" in problem.message


def test_one_dependency_more_is_too_many() -> None:
    document = layered(MAX_TASKS, MAX_EDGES)
    document["tasks"][-1]["depends_on"].append("t0")
    (problem,) = problems(document)
    assert (problem.path, problem.code) == ("tasks", "too_many_dependencies")
    assert "at most 50,000 dependencies, not 50,001; put an empty task" in problem.message


def test_a_megabyte_is_the_limit_whichever_door_it_came_through() -> None:
    (problem,) = problems(dag(*({"id": f"t{i}", "description": "x" * 1000} for i in range(1050))))
    assert (problem.path, problem.code) == ("", "too_large")
    assert "at most 1,048,576" in problem.message


def _tasks(count: int, make: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
    return dag(*({"id": f"t{i}", **make(i)} for i in range(count)))


HOSTILE: dict[str, dict[str, Any]] = {
    "unknown upstreams": _tasks(9_000, lambda i: {"depends_on": [f"u{i}_{k}" for k in range(3)]}),
    "unknown keys": _tasks(900, lambda _: {f"k{k}": 0 for k in range(90)}),
    "unknown types": _tasks(9_000, lambda i: {"type": f"bsh{i}"}),
    "pairs in circles": _tasks(9_000, lambda i: {"depends_on": [f"t{i ^ 1}"]}),
    "all in a circle": _tasks(9_000, lambda i: {"depends_on": [f"t{(i + 1) % 9_000}"]}),
    "all the same": dag(*({"id": "a", "depends_on": ["a"]} for _ in range(9_000))),
    "bad templates": dag(
        {"id": "a", "type": "python", "callable": "a.b", "args": ["{{ (" for _ in range(50_000)]}
    ),
    "far outputs": _tasks(
        8_000,
        lambda i: (
            {"type": "bash", "command": "x", "env": {"A": f"{{{{ outputs.t{7_999 - i} }}}}"}}
            | ({"depends_on": [f"t{i - 1}"]} if i else {})
        ),
    ),
    "bad parameters": dag(params={f"p{i}": {"type": "x"} for i in range(1_000)}),
    "bad choices": dag(
        {"id": "b", "type": "branch", "value": "x", "cases": {"x": ["c"] * 50_000}},
        {"id": "c", "depends_on": ["a"] * 40_000},
    ),
    "bad numbers": dag(tags=[1] * 100_000),
    "bad environment": dag(
        {"id": "a", "type": "bash", "command": "x", "env": {f"{i}": None for i in range(30_000)}}
    ),
    "one long name": dag({"id": "a", "depends_on": ["x" * 1_000_000]}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_definitions_are_refused_in_a_moment_with_a_short_list(name: str) -> None:
    started = time.process_time()
    found = problems(HOSTILE[name])
    assert time.process_time() - started < LONG
    assert len(found) <= MAX_PROBLEMS + 1
    assert sum(len(problem.path) + len(problem.message) for problem in found) < 100_000
    assert len(found) <= MAX_PROBLEMS or found[-1].code == "and_more"


def test_what_is_not_even_looked_for_is_owned_up_to() -> None:
    found = problems(_tasks(100, lambda _: {f"k{k}": 0 for k in range(60)}))
    assert found[-1].message.startswith("and more than 4,900 more")


def test_what_is_not_shown_is_counted() -> None:
    found = problems(_tasks(2_000, lambda _: {"depends_on": ["x1", "x2"]}))
    assert found[-1].message == "and 3,900 more; correct these first, and they will be shown"
    assert found[0].path == "tasks[0].depends_on[0]"
    assert found[MAX_PROBLEMS - 1].path == "tasks[49].depends_on[1]"


def test_many_good_templates_are_read_too() -> None:
    """One for each of 4,000 tasks, half of them written so that only the parser understands."""
    forms = ("{{ outputs.t%d.rows }}", "{{ outputs['t%d'] | length }}")
    document = _tasks(
        8_000,
        lambda i: (
            {"type": "bash", "command": "x", "env": {"A": forms[i % 2] % (i - 1)}}
            | {"depends_on": [f"t{i - 1}"]}
            if i
            else {}
        ),
    )
    started = time.process_time()
    parse(document)
    assert time.process_time() - started < LONG
