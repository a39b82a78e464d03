"""What can be kept: told from what PostgreSQL, or another reader of JSON, would stumble over."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from typing import Any

from skytrail.documents.errors import MAX_BYTES, MAX_DEPTH, NUMBER_TOO_LONG, TOO_DEEP
from skytrail.documents.paths import Place, path_of
from skytrail.errors import Problem

#: More flaws than these are not looked for.
MAX_FLAWS = 100

# Python refuses to write (or read) integers of more than 4,300 digits; this is 3,900 of them.
_MAX_BITS = 13_000


class Repeating(dict[str, Any]):
    """An object as a reader makes it, in which a key was given twice."""

    repeated: str


def unstorable(value: Any) -> list[Problem]:
    """What keeps `value` from being stored as JSON, or read by others: the first of its flaws.

    Text with NUL or lone halves of surrogate pairs (PostgreSQL refuses it), NaN and Infinity,
    endless numbers and nesting, a key given twice, and what is not JSON at all. Dates may stand in
    it, for YAML makes them of text that looks like one.
    """
    found: list[Problem] = []
    left: list[tuple[Place, Any, int]] = [(None, value, 0)]
    seen = 0
    while left and len(found) < MAX_FLAWS:
        place, here, depth = left.pop()
        seen += 1
        if seen > MAX_BYTES:  # a value takes a byte at least; and a list may hold itself
            return [Problem("", "too_large", "this has too many values; split it up")]
        if depth >= MAX_DEPTH and isinstance(here, dict | list):
            found.append(Problem(path_of(place), "too_deep", TOO_DEEP))
            continue
        found += (Problem(path_of(place), code, message) for code, message in _flaws(here))
        if isinstance(here, dict):
            left += (
                ((place, key), inner, depth + 1)
                for key, inner in reversed(here.items())
                if isinstance(key, str)
            )
        elif isinstance(here, list):
            left += (
                ((place, index), here[index], depth + 1) for index in reversed(range(len(here)))
            )
    return found


def storable(text: str) -> str:
    """`text` as PostgreSQL takes it: NUL and halves of surrogate pairs are replaced."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _flaws(value: Any) -> Iterator[tuple[str, str]]:
    """Code and message of each flaw of one value, whatever is inside it."""
    if isinstance(value, str):
        if not _is_storable(value):
            yield "unstorable_text", "remove the NUL or broken Unicode character in this text"
    elif isinstance(value, dict):
        # A bad key is shown at its object: it would itself be hard to print.
        if any(isinstance(key, str) and not _is_storable(key) for key in value):
            yield "unstorable_text", "remove the NUL or broken Unicode character in a key of this"
        for key in [key for key in value if not isinstance(key, str)][:1]:
            yield "key_not_text", f"the key {key!r} is not text; write it in quotes"
        if isinstance(value, Repeating):
            yield (
                "repeated_key",
                f"the key {value.repeated!r} is given twice in one object; keep one of them",
            )
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield "not_finite", "NaN, infinite or too large a number; leave it out, or use null"
    elif isinstance(value, int):
        if value.bit_length() > _MAX_BITS:
            yield "number_too_long", NUMBER_TOO_LONG
    elif value is not None and not isinstance(value, list | date):
        yield "not_json", f"a {type(value).__name__} is not JSON; use text, numbers, lists, objects"


def _is_storable(text: str) -> bool:
    try:
        return b"\x00" not in text.encode()
    except UnicodeEncodeError:
        return False
