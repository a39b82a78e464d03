"""From Python's values to those of a definition, which are JSON."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dags_app.authoring.assets import Asset
from dags_app.authoring.errors import BadArgument
from dags_app.authoring.nodes import Node

if TYPE_CHECKING:
    from dags_app.authoring.tasks import Task


def plain(value: object, *, owner: str, name: str) -> Any:
    """`value` as JSON: outputs as the templates that stand for them, dates as ISO 8601.

    Raises `BadArgument`, naming the argument `name` of `owner`, for what a definition cannot hold.
    """
    if isinstance(value, Node) and value.returned is not None:
        return value.returned.template
    if isinstance(value, enum.Enum):
        return plain(value.value, owner=owner, name=name)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {
            _key(key, owner, name): plain(inner, owner=owner, name=f"{name}[{key!r}]")
            for key, inner in value.items()
        }
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [
            plain(inner, owner=owner, name=f"{name}[{index}]") for index, inner in enumerate(value)
        ]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return seconds(value)
    if isinstance(value, Decimal | UUID | PurePath):
        return str(value)
    if isinstance(value, Asset):
        return value.name
    raise BadArgument(owner=owner, name=name, problem=_not_plain(value))


def seconds(value: timedelta) -> int | float:
    """A duration in seconds: whole ones as a whole number."""
    total = value.total_seconds()
    return int(total) if total.is_integer() else total


def tasks_in(value: object) -> Iterator[Task]:
    """The tasks whose outputs are used in `value`."""
    if isinstance(value, Node):
        if value.returned is not None:
            yield value.returned.task
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from tasks_in(inner)
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        for inner in value:
            yield from tasks_in(inner)


def _key(key: object, owner: str, name: str) -> str:
    if not isinstance(key, str):
        raise BadArgument(
            owner=owner, name=name, problem=f"has the key {key!r}, which is not text: use text"
        )
    return key


def _not_plain(value: object) -> str:
    if isinstance(value, Node):
        return "is a task group, which returns nothing: give it the output of one of its tasks"
    if isinstance(value, set | frozenset):
        return "is a set, which has no order: use a list, like sorted(…)"
    return (
        f"is a {type(value).__name__}, which a definition cannot hold: give it text, numbers, "
        "lists or dicts, and make the rest of them inside the task"
    )
