"""`default_args`: values for all tasks of a definition, as people know them from Airflow.

Sugar of the document alone: it is spread over the tasks before anything looks at them, so that a
definition with it and one without it, of the same meaning, are one version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dags_app.domain.commands import TaskType
from dags_app.domain.problems import Suggestions
from dags_app.domain.tasks import ALIASES, TASK_CLASSES, TaskFields
from skytrail.documents import path
from skytrail.errors import Problem

#: Where the values stand in a definition.
KEY = "default_args"

#: What each task has for itself.
_OWN = frozenset({"id", "type", "depends_on"})

_OTHER_NAMES = {name: alias for alias, name in ALIASES.items()}


def spread(document: Mapping[str, Any]) -> dict[str, Any]:
    """`document` with its `default_args` in each task that knows such a key and does not give it.

    What is no object, there or among the tasks, is left for others to complain about.
    """
    rest = {key: value for key, value in document.items() if key != KEY}
    defaults = document.get(KEY)
    tasks = rest.get("tasks")
    if isinstance(defaults, dict) and isinstance(tasks, list):
        rest["tasks"] = [_with(defaults, task) for task in tasks]
    return rest


def flaws(document: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with `default_args` itself."""
    if KEY not in document:
        return
    defaults = document[KEY]
    if not isinstance(defaults, dict):
        message = 'this must be an object, like {"retries": 2}'
        yield Problem(KEY, "dict_type", message)
        return
    known = {name for kind in TASK_CLASSES.values() for name in _keys_of(kind)}
    suggest = Suggestions()
    for name in defaults:
        if name in _OWN:
            message = "each task has its own; give it there"
            yield Problem(path([KEY, name]), "not_a_default", message)
        elif name not in known:
            hint = suggest(name, known) or "; remove it"
            yield Problem(path([KEY, name]), "unknown_key", f"no task has such a key{hint}")


def _with(defaults: Mapping[str, Any], task: Any) -> Any:
    if not isinstance(task, dict):
        return task
    kind = task.get("type", TaskType.EMPTY)
    known = _keys_of(TASK_CLASSES.get(kind, TaskFields) if isinstance(kind, str) else TaskFields)
    given = task.keys() | {_OTHER_NAMES.get(name, ALIASES.get(name, name)) for name in task}
    more = {name: value for name, value in defaults.items() if name in known and name not in given}
    return {**more, **task}


def _keys_of(kind: type[TaskFields]) -> set[str]:
    names = {field.alias or name for name, field in kind.model_fields.items()}
    return (names | {alias for alias, name in ALIASES.items() if name in names}) - _OWN
