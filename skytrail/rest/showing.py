"""From rows to what an answer shows."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from rest_framework.serializers import Serializer


def show(serializer: type[Serializer[Any]], value: Any) -> Any:
    """What `serializer` makes of `value`."""
    return _instance(serializer).to_representation(value)


def show_all(serializer: type[Serializer[Any]], values: Iterable[Any]) -> list[Any]:
    """The same of each."""
    instance = _instance(serializer)
    return [instance.to_representation(value) for value in values]


@cache
def _instance(serializer: type[Serializer[Any]]) -> Serializer[Any]:
    """One for all requests: to find out its fields anew takes longer than to show a row.

    Showing changes nothing in it, and our serializers ask for no context.
    """
    return serializer()
