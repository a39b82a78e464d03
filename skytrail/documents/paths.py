"""Places in a document, as people write them: `tasks[2].depends_on[0]`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import reduce
from typing import TypeAlias

_PLAIN_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*")
_PART = re.compile(r'\[([0-9]+)\]|\[("(?:[^"\\]|\\.)*")\]|\.?([A-Za-z_$][A-Za-z0-9_$-]*)')

#: Where a value stands: the place of what holds it, and its key or index there.
Place: TypeAlias = tuple["Place", "str | int"] | None


def path(parts: Iterable[str | int]) -> str:
    """The place `("tasks", 2, "id")` in a document as people write it: `tasks[2].id`."""
    return reduce(step, parts, "")


def step(to: str, part: str | int) -> str:
    """The path one part longer. A key that could be misread is quoted: `env["a.b"]`."""
    if isinstance(part, int):
        return f"{to}[{part}]"
    if not _PLAIN_KEY.fullmatch(part):
        readable = part.encode("utf-8", "backslashreplace").decode()
        return f"{to}[{json.dumps(readable, ensure_ascii=False)}]"
    return f"{to}.{part}" if to else part


def parts_of(text: str) -> list[str | int]:
    """The keys and indexes that a path is made of: what `path` has put together."""
    return [
        int(index) if index else json.loads(quoted) if quoted else plain
        for index, quoted, plain in _PART.findall(text)
    ]


def path_of(place: Place) -> str:
    """The path of a place."""
    parts: list[str | int] = []
    while place is not None:
        place, part = place
        parts.append(part)
    return path(reversed(parts))
