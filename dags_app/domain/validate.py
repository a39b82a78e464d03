"""What no single field can see: how tasks relate to each other, and to the DAG around them.

Works on the document as it was sent, not on a parsed spec: a task whose cron is misspelt must not
hide that two others wait for each other. Whatever is too broken to be looked at is passed over
here; the fields' own checks speak of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dags_app.domain import params, templates, topology
from dags_app.domain.problems import suggestion
from dags_app.domain.spec import MAX_EDGES, MAX_TASKS
from skytrail.errors import Problem

# Keys of a task that are never rendered, so that `{{` in them means itself.
_NEVER_RENDERED = {"id", "type", "description", "depends_on", "command", "callable", "task"}


@dataclass(frozen=True, slots=True)
class _Node:
    """A task as far as it can be read."""

    index: int
    id: str
    upstream: list[str]
    document: Mapping[str, Any]

    @property
    def path(self) -> str:
        return f"tasks[{self.index}]"


def too_large(document: Mapping[str, Any]) -> Problem | None:
    """The problem with a document that is not even to be looked into."""
    tasks = document.get("tasks")
    if not isinstance(tasks, list):
        return None
    if len(tasks) > MAX_TASKS:
        return Problem(
            "tasks",
            "too_many_tasks",
            f"a DAG has at most {MAX_TASKS:,} tasks, not {len(tasks):,}; make it several DAGs",
        )
    edges = sum(
        len(task["depends_on"])
        for task in tasks
        if isinstance(task, dict) and isinstance(task.get("depends_on"), list)
    )
    if edges > MAX_EDGES:
        return Problem(
            "tasks",
            "too_many_dependencies",
            f"a DAG has at most {MAX_EDGES:,} dependencies, not {edges:,}; put an empty task "
            "between two layers that all depend on each other",
        )
    return None


def relations(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Every problem between fields of `document`."""
    nodes = list(_nodes(document))
    yield from _duplicate_ids(nodes)
    known = {node.id: node for node in nodes}
    upstream = {node.id: [name for name in node.upstream if name in known] for node in nodes}
    yield from _unknown_upstreams(nodes, known)
    yield from _cycles(known, upstream)
    yield from _branch_cases(nodes, upstream)
    yield from _templates(nodes, upstream, document)
    yield from _double_schedule(document)
    yield from _dates(document)
    if isinstance(document.get("params"), dict):
        yield from (
            problem.within("params") for problem in params.schema_problems(document["params"])
        )


def _nodes(document: Mapping[str, Any]) -> Iterator[_Node]:
    tasks = document.get("tasks")
    for index, task in enumerate(tasks if isinstance(tasks, list) else []):
        if isinstance(task, dict) and isinstance(task.get("id"), str):
            upstream = task.get("depends_on")
            names = upstream if isinstance(upstream, list) else []
            yield _Node(index, task["id"], [n for n in names if isinstance(n, str)], task)


def _duplicate_ids(nodes: list[_Node]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for node in nodes:
        if node.id in first:
            message = f"tasks[{first[node.id]}] has this id too; give each task an id of its own"
            yield Problem(f"{node.path}.id", "duplicate_id", message)
        first.setdefault(node.id, node.index)


def _unknown_upstreams(nodes: list[_Node], known: Mapping[str, _Node]) -> Iterator[Problem]:
    for node in nodes:
        for place, name in enumerate(node.upstream):
            if name not in known:
                message = f"there is no task {name!r}{suggestion(name, known)}"
                yield Problem(f"{node.path}.depends_on[{place}]", "unknown_upstream", message)


def _cycles(known: Mapping[str, _Node], upstream: dict[str, list[str]]) -> Iterator[Problem]:
    for name, names in upstream.items():
        if name in names:
            message = "a task cannot wait for itself; remove this dependency"
            place = known[name].upstream.index(name)
            yield Problem(f"{known[name].path}.depends_on[{place}]", "self_dependency", message)
    edges = {name: [n for n in names if n != name] for name, names in upstream.items()}
    # Cycles that share no task are told apart by taking out each one that was found.
    while cycle := topology.find_cycle(edges):
        shown = " → ".join(cycle if len(cycle) <= 12 else [*cycle[:6], "…", *cycle[-5:]])
        message = f"these tasks wait for each other: {shown}; remove one of these dependencies"
        yield Problem(f"{known[cycle[0]].path}.depends_on", "cycle", message)
        gone = set(cycle)
        edges = {
            name: [n for n in names if n not in gone]
            for name, names in edges.items()
            if name not in gone
        }


def _branch_cases(nodes: list[_Node], upstream: dict[str, list[str]]) -> Iterator[Problem]:
    for node in nodes:
        if node.document.get("type") != "branch":
            continue
        choices = [("default", node.document.get("default"))]
        cases = node.document.get("cases")
        for value, tasks in cases.items() if isinstance(cases, dict) else ():
            choices.append((f"cases.{value}", tasks))
        for key, tasks in choices:
            for place, name in enumerate(tasks if isinstance(tasks, list) else []):
                if isinstance(name, str) and node.id not in upstream.get(name, ()):
                    message = (
                        f"{name!r} does not depend directly on {node.id!r}, so it cannot be chosen"
                    )
                    yield Problem(f"{node.path}.{key}[{place}]", "not_downstream", message)


def _templates(
    nodes: list[_Node], upstream: dict[str, list[str]], document: Mapping[str, Any]
) -> Iterator[Problem]:
    declared = document.get("params")
    for node in nodes:
        before: set[str] | None = None  # found out only for tasks that refer to outputs
        for key, value in node.document.items():
            if key in _NEVER_RENDERED:
                continue
            for path, text in templates.texts_in(value, f"{node.path}.{key}"):
                try:
                    found = templates.references(text)
                except templates.BadTemplate as error:
                    yield Problem(path, "bad_template", f"this template cannot be read: {error}")
                    continue
                if found.outputs and before is None:
                    before = topology.ancestors(node.id, upstream)
                for name in sorted(found.outputs - (before or set())):
                    yield _not_before(path, name, node, upstream)
                if isinstance(declared, dict) and declared:
                    for name in sorted(found.params - declared.keys()):
                        close = suggestion(name, declared)
                        message = f"the DAG declares no parameter {name!r}{close}"
                        yield Problem(path, "unknown_param", message)


def _not_before(path: str, name: str, node: _Node, known: Mapping[str, Any]) -> Problem:
    if name not in known:
        message = f"there is no task {name!r} whose output could be used{suggestion(name, known)}"
        return Problem(path, "unknown_output", message)
    message = (
        f"the output of {name!r} is used, but it need not have run before; "
        f"let {node.id!r} depend on it"
    )
    return Problem(path, "output_not_upstream", message)


def _double_schedule(document: Mapping[str, Any]) -> Iterator[Problem]:
    if document.get("schedule") is not None and document.get("cron") is not None:
        yield Problem("cron", "two_schedules", "schedule is given too; keep one of the two")


def _dates(document: Mapping[str, Any]) -> Iterator[Problem]:
    start, end = (_moment(document.get(key)) for key in ("start_date", "end_date"))
    # With one of the two in an unknown zone their order is not known to the hour; let it pass.
    if start and end and (start.tzinfo is None) == (end.tzinfo is None) and end < start:
        yield Problem("end_date", "ends_before_start", "end_date lies before start_date; swap them")


def _moment(value: Any) -> datetime | None:
    try:
        return value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
