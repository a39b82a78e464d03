"""Places for values in SQL: `%(name)s`, `%s`, and `%%` for a per cent sign.

They mean something only where there are values to bind: without any, `LIKE 'a%'` is what it says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_PLACE = re.compile(r"%(?:\((?P<name>[^)]*)\)s|(?P<plain>s)|(?P<sign>%)|(?P<other>.?))", re.DOTALL)


class BadPlaceholder(ValueError):
    """What is wrong with a place for a value, and how to write it."""


def check(statement: str, bound: Mapping[str, Any] | Sequence[Any]) -> set[str]:
    """The names that the statement takes from `bound`. Raises `BadPlaceholder`.

    Nothing is checked where there is nothing to bind.
    """
    if not bound:
        return set()
    names, count = set(), 0
    for place in _PLACE.finditer(statement):
        _check_form(place)
        if place["name"] is not None:
            names.add(place["name"])
        count += place["plain"] is not None
    if isinstance(bound, Mapping):
        if count:
            raise BadPlaceholder("there are names for the values; write %(name)s instead of %s")
        for name in sorted(names - bound.keys()):
            raise BadPlaceholder(f"there is no value for %({name})s in parameters")
        return names
    if names:
        raise BadPlaceholder("the values are a list; write %s for each, or give them names")
    if count != len(bound):
        raise BadPlaceholder(f"{count} of %s for {len(bound)} values in parameters; make them meet")
    return set()


def translate(statement: str, *, place: Callable[[str | None, int], str], doubled: bool) -> str:
    """The statement with `place(name, number)` for each value; numbers count from 1.

    `doubled` says whether a per cent sign stays doubled, as drivers want it that read `%s`.
    """
    number = 0

    def put(found: re.Match[str]) -> str:
        nonlocal number
        _check_form(found)
        if found["sign"] is not None:
            return "%%" if doubled else "%"
        number += 1
        return place(found["name"], number)

    return _PLACE.sub(put, statement)


def _check_form(place: re.Match[str]) -> None:
    if place["other"] is not None:
        raise BadPlaceholder(
            f"{place[0]!r} is no place for a value; write %(name)s or %s, and %% for a per cent "
            "sign"
        )
