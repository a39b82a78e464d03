"""Reading JSON that somebody sent: strict, bounded, and with an error that says where.

Python's own reader takes NaN, lets the last of two equal keys win and hands on characters that
PostgreSQL cannot store. Here each of these is a problem with a path.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from skytrail.documents.errors import (
    MAX_BYTES,
    NUMBER_TOO_LONG,
    TOO_DEEP,
    BadDocument,
    as_text,
    bad,
)
from skytrail.documents.storing import Repeating, unstorable

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


def read_json(raw: bytes | str, *, limit: int = MAX_BYTES) -> Any:
    """The value that `raw` spells.

    Raises `DocumentTooLarge` over `limit` bytes and `BadDocument` for anything that is not strict
    JSON in UTF-8: a syntax error (with line and column), NaN and Infinity, a key given twice, NUL
    characters, halves of surrogate pairs, absurd nesting.
    """
    text = as_text(raw, limit)
    if not text.strip():
        raise bad("invalid_json", "there is nothing in it; send a JSON document")
    try:
        value = json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise bad("invalid_json", f"{where}: {_SYNTAX.get(error.msg, error.msg)}") from None
    except RecursionError:
        raise bad("too_deep", TOO_DEEP) from None
    except ValueError:
        # The only other one that the reader raises: Python's guard against huge integers.
        raise bad("number_too_long", NUMBER_TOO_LONG) from None
    if problems := unstorable(value):
        raise BadDocument(problems=problems)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) == len(pairs):
        return table
    repeating = Repeating(table)
    repeating.repeated = Counter(name for name, _ in pairs).most_common(1)[0][0]
    return repeating
