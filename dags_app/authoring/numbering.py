"""Names for what is made more than once."""

from __future__ import annotations

from collections.abc import Container
from itertools import count


def numbered(name: str, taken: Container[str], given: dict[str, int] | None = None) -> str:
    """`name`, or the first of `name__1`, `name__2`, … that is not taken.

    `given` remembers the last numbers, where there are to be many.
    """
    if name not in taken:
        return name
    given = {} if given is None else given
    for number in count(given.get(name, 0) + 1):
        given[name] = number
        if (other := f"{name}__{number}") not in taken:
            break
    return other
