"""Finding out which instances a mapped task has: the lists that it is to be expanded over."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from dags_app.domain.commands import Command
from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Outcome
from workers.rendering import fill_in

#: The values of all instances of a task may take up so many bytes of JSON.
MAX_BYTES = 16 * 1024 * 1024

C = TypeVar("C", bound=Command)
Outputs = Callable[[set[str]], Mapping[str, Any]]


def expand(execution: Execution, outputs: Outputs) -> Outcome:
    """The instances of a mapped task, in order; a failure where there is no such list.

    With `expand` one for each combination of its lists' values, the last list's fastest (Airflow's
    order). Raises `CannotRender`.
    """
    if execution.expand is not None:
        lists = fill_in({"expand": execution.expand}, execution, outputs)["expand"]
        return _combined(lists, execution.max_map_length)
    found = fill_in({"expand_kwargs": execution.expand_kwargs}, execution, outputs)
    return _as_they_are(found["expand_kwargs"], execution.max_map_length)


def of_instance(command: C, execution: Execution) -> C:
    """`command` as an instance of a mapped task executes it: what takes keyword arguments is given
    the instance's values among them.
    """
    kwargs = getattr(command, "kwargs", None)
    if execution.map_values is None or kwargs is None:
        return command
    return command.model_copy(update={"kwargs": {**kwargs, **execution.map_values}})


def _combined(lists: Mapping[str, Any], most: int) -> Outcome:
    columns: dict[str, list[Any]] = {}
    for name, given in lists.items():
        # Over an object as Airflow does: over its entries.
        values = [list(entry) for entry in given.items()] if isinstance(given, dict) else given
        if not isinstance(values, list):
            return _refused(f"expand.{name} is a {_kind(values)}, and has to be a list")
        columns[name] = values
    count = math.prod(len(values) for values in columns.values())
    if count > most:
        return _too_many(count, most)
    return _kept(
        [dict(zip(columns, values, strict=True)) for values in itertools.product(*columns.values())]
    )


def _as_they_are(found: Any, most: int) -> Outcome:
    if not isinstance(found, list):
        return _refused(f"expand_kwargs is a {_kind(found)}, and has to be a list of objects")
    if len(found) > most:
        return _too_many(len(found), most)
    for place, values in enumerate(found):
        if not isinstance(values, dict):
            return _refused(f"expand_kwargs[{place}] is a {_kind(values)}, and not an object")
    return _kept(found)


def _kept(instances: list[dict[str, Any]]) -> Outcome:
    size = len(json.dumps(instances))
    if size > MAX_BYTES:
        return _refused(
            f"the values to expand over have {size:,} bytes as JSON; at most {MAX_BYTES:,} are "
            "kept. Expand over names or places, and let each instance fetch what it needs"
        )
    return Outcome.expanded(instances)


def _too_many(count: int, most: int) -> Outcome:
    return _refused(
        f"there would be {count:,} instances, and max_map_length allows {most:,}; raise it, or "
        "expand over larger pieces"
    )


def _refused(message: str) -> Outcome:
    return Outcome.failed(message, reason="cannot_expand", may_retry=False)


def _kind(value: Any) -> str:
    names = {dict: "object", list: "list", str: "text", bool: "truth value", type(None): "null"}
    return names.get(type(value), "number")
