"""What two definitions differ in, as people would say it: tasks, edges, fields.

Definitions are compared in their canonical form, so that defaults, order and formatting are no
difference.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Spec = Mapping[str, Any]
Edge = tuple[str, str]

#: A value in a line of text is cut after so many characters.
SHOWN = 300

_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Change:
    """A field that differs: `path` like `retries` or `env.DAY`. What is left at its default, or not
    there, is None, and `was_set` or `is_set` false.
    """

    path: str
    before: Any
    after: Any
    was_set: bool
    is_set: bool


@dataclass(frozen=True, slots=True)
class Differences:
    """All that differs, in the order of names. Edges go from a task to one that depends on it."""

    fields: list[Change] = field(default_factory=list)
    added_tasks: list[str] = field(default_factory=list)
    removed_tasks: list[str] = field(default_factory=list)
    changed_tasks: dict[str, list[Change]] = field(default_factory=dict)
    added_edges: list[Edge] = field(default_factory=list)
    removed_edges: list[Edge] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(
            (
                self.fields,
                self.added_tasks,
                self.removed_tasks,
                self.changed_tasks,
                self.added_edges,
                self.removed_edges,
            )
        )

    def lines(self) -> Iterator[tuple[str, str]]:
        """Lines of text, each with its sign: `+`, `-`, or a blank for a heading."""
        if self.fields:
            yield " ", "DAG"
            yield from _lines(self.fields)
        for task, changes in self.changed_tasks.items():
            yield " ", f"task {task}"
            yield from _lines(changes)
        if any((self.added_tasks, self.removed_tasks)):
            yield " ", "tasks"
            yield from (("-", task) for task in self.removed_tasks)
            yield from (("+", task) for task in self.added_tasks)
        if any((self.added_edges, self.removed_edges)):
            yield " ", "edges"
            yield from (("-", f"{before} → {after}") for before, after in self.removed_edges)
            yield from (("+", f"{before} → {after}") for before, after in self.added_edges)


def differences(old: Spec, new: Spec) -> Differences:
    """What changes from `old` to `new`, both in canonical form."""
    before, after = _tasks(old), _tasks(new)
    edges_before, edges_after = _edges(old), _edges(new)
    changed = {
        task: found
        for task in sorted(before.keys() & after.keys())
        if (found := list(_changes(before[task], after[task])))
    }
    return Differences(
        fields=list(_changes(_without(old, "tasks"), _without(new, "tasks"))),
        added_tasks=sorted(after.keys() - before.keys()),
        removed_tasks=sorted(before.keys() - after.keys()),
        changed_tasks=changed,
        added_edges=sorted(edges_after - edges_before),
        removed_edges=sorted(edges_before - edges_after),
    )


def _tasks(spec: Spec) -> dict[str, dict[str, Any]]:
    return {task["id"]: _without(task, "id", "depends_on") for task in spec["tasks"]}


def _edges(spec: Spec) -> set[Edge]:
    return {(name, task["id"]) for task in spec["tasks"] for name in task.get("depends_on", ())}


def _without(document: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}


def _changes(old: Mapping[str, Any], new: Mapping[str, Any], path: str = "") -> Iterator[Change]:
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name, _ABSENT), new.get(name, _ABSENT)
        where = f"{path}.{name}" if path else name
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _changes(before, after, where)
        elif _text(before) != _text(after):
            was_set, is_set = before is not _ABSENT, after is not _ABSENT
            yield Change(
                where, before if was_set else None, after if is_set else None, was_set, is_set
            )


def _lines(changes: list[Change]) -> Iterator[tuple[str, str]]:
    for change in changes:
        if change.was_set:
            yield "-", f"{change.path}: {_shown(change.before)}"
        if change.is_set:
            yield "+", f"{change.path}: {_shown(change.after)}"


def _text(value: Any) -> str:
    """1, 1.0 and true are three values, which Python thinks equal."""
    return "" if value is _ABSENT else json.dumps(value, sort_keys=True, ensure_ascii=False)


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) and "\n" not in value else _text(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
