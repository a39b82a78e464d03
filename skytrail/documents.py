"""Reading JSON that somebody sent: strict, bounded, and with an error that says where.

Python's own reader takes NaN, lets the last of two equal keys win and hands on characters that
PostgreSQL cannot store. Here each of these is a problem with a path.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from functools import reduce
from typing import Any

from skytrail.errors import Invalid, Problem

#: The largest document that any door takes, in bytes (`reliability` checklist: body ≤ 1 MB).
MAX_BYTES = 1_048_576

#: How deep brackets may be nested. Whoever walks a document may do so recursively.
MAX_DEPTH = 100

#: More flaws than these are not looked for.
MAX_FLAWS = 100

# Python refuses to write (or read) integers of more than 4,300 digits; this is 3,900 of them.
_MAX_BITS = 13_000

_PLAIN_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*")

# What Python's reader says, in words that tell what to do about it.
_SYNTAX = {
    "Expecting value": "a value is missing here, or is not written as JSON wants it",
    "Expecting property name enclosed in double quotes": (
        "a key in double quotes must stand here (JSON takes no comments, and no comma after the "
        "last entry)"
    ),
    "Illegal trailing comma before end of object": "remove the comma after the last entry",
    "Illegal trailing comma before end of array": "remove the comma after the last entry",
    "Expecting ',' delimiter": "a comma or a closing bracket is missing here",
    "Expecting ':' delimiter": "a colon is missing between key and value",
    "Extra data": "the document has ended before this; remove what follows",
    "Unterminated string starting at": "the quotes that open here are never closed",
    "Invalid control character at": r"write line breaks and tabs inside quotes as \n and \t",
    "Invalid \\escape": r"write a backslash inside quotes as \\",
    "Invalid \\uXXXX escape": r"\u must be followed by four hexadecimal digits",
}


class BadDocument(Invalid):
    """That is not a JSON document Skytrail can take."""


class DocumentTooLarge(Invalid):
    """The document is larger than {limit:,} bytes."""


class _Repeating(dict[str, Any]):
    """An object as Python's reader makes it, in which a key was given twice."""

    repeated: str


def read_json(raw: bytes | str, *, limit: int = MAX_BYTES) -> Any:
    """The value that `raw` spells.

    Raises `DocumentTooLarge` over `limit` bytes and `BadDocument` for anything that is not strict
    JSON in UTF-8: a syntax error (with line and column), NaN and Infinity, a key given twice, NUL
    characters, halves of surrogate pairs, absurd nesting.
    """
    data = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    if len(data) > limit:
        raise DocumentTooLarge(limit=limit, problems=[_too_large(len(data), limit)])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _bad("not_utf8", f"byte {error.start} is not UTF-8; save the file as UTF-8") from None
    if not text.strip():
        raise _bad("invalid_json", "there is nothing in it; send a JSON document")
    try:
        value = json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _bad("invalid_json", f"{where}: {_SYNTAX.get(error.msg, error.msg)}") from None
    except RecursionError:
        raise _bad("too_deep", _TOO_DEEP) from None
    except ValueError:
        # The only other one that the reader raises: Python's guard against huge integers.
        raise _bad("number_too_long", _NUMBER_TOO_LONG) from None
    if problems := unstorable(value):
        raise BadDocument(problems=problems)
    return value


def oversize(value: Any, *, limit: int = MAX_BYTES) -> Problem | None:
    """The problem with a value (without flaws, see `unstorable`) that is too large as JSON."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    size = len(text.encode())
    return _too_large(size, limit) if size > limit else None


def _too_large(size: int, limit: int) -> Problem:
    return Problem("", "too_large", f"this has {size:,} bytes; at most {limit:,} are taken")


# ---------------------------------------------------------------- what cannot be kept

_TOO_DEEP = f"brackets are nested more than {MAX_DEPTH} deep; flatten the document"
_NUMBER_TOO_LONG = "this number has too many digits; write it as text in quotes"

#: Where a value stands: the place of what holds it, and its key or index there.
_Place = tuple["_Place", "str | int"] | None


def unstorable(value: Any) -> list[Problem]:
    """What keeps `value` from being stored as JSON, or read by others: the first of its flaws.

    Text with NUL or lone halves of surrogate pairs (PostgreSQL refuses it), NaN and Infinity,
    endless numbers and nesting, a key given twice, and what is not JSON at all. Dates may stand in
    it, for YAML makes them of text that looks like one.
    """
    found: list[Problem] = []
    left: list[tuple[_Place, Any, int]] = [(None, value, 0)]
    seen = 0
    while left and len(found) < MAX_FLAWS:
        place, here, depth = left.pop()
        seen += 1
        if seen > MAX_BYTES:  # a value takes a byte at least; and a list may hold itself
            return [Problem("", "too_large", "this has too many values; split it up")]
        if depth >= MAX_DEPTH and isinstance(here, dict | list):
            found.append(Problem(_path_of(place), "too_deep", _TOO_DEEP))
            continue
        found += (Problem(_path_of(place), code, message) for code, message in _flaws(here))
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
        if isinstance(value, _Repeating):
            yield (
                "repeated_key",
                f"the key {value.repeated!r} is given twice in one object; keep one of them",
            )
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield "not_finite", "NaN, infinite or too large a number; leave it out, or use null"
    elif isinstance(value, int):
        if value.bit_length() > _MAX_BITS:
            yield "number_too_long", _NUMBER_TOO_LONG
    elif value is not None and not isinstance(value, list | date):
        yield "not_json", f"a {type(value).__name__} is not JSON; use text, numbers, lists, objects"


def _is_storable(text: str) -> bool:
    try:
        return b"\x00" not in text.encode()
    except UnicodeEncodeError:
        return False


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) == len(pairs):
        return table
    repeating = _Repeating(table)
    repeating.repeated = Counter(name for name, _ in pairs).most_common(1)[0][0]
    return repeating


def _bad(code: str, message: str) -> BadDocument:
    return BadDocument(problems=[Problem("", code, message)])


# ---------------------------------------------------------------- paths


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


def _path_of(place: _Place) -> str:
    parts: list[str | int] = []
    while place is not None:
        place, part = place
        parts.append(part)
    return path(reversed(parts))
