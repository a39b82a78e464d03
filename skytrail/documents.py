"""Reading JSON that somebody sent: strict, bounded, and with an error that says where.

Python's own reader takes NaN, lets the last of two equal keys win and hands on characters that
PostgreSQL cannot store. Here each of these is a problem with a path.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NoReturn

from skytrail.errors import Invalid, Problem

#: The largest document that any door takes, in bytes (`reliability` checklist: body ≤ 1 MB).
MAX_BYTES = 1_048_576


class BadDocument(Invalid):
    """That is not a JSON document Skytrail can take."""


class DocumentTooLarge(Invalid):
    """The document is larger than {limit:,} bytes."""


class _NotStrict(Exception):
    """Python's reader would take it; we do not."""


def read_json(raw: bytes | str, *, limit: int = MAX_BYTES) -> Any:
    """The value that `raw` spells.

    Raises `DocumentTooLarge` over `limit` bytes and `BadDocument` for anything that is not strict
    JSON in UTF-8: a syntax error (with line and column), NaN and Infinity, a key given twice, NUL
    characters, halves of surrogate pairs, absurd nesting.
    """
    data = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    if len(data) > limit:
        raise DocumentTooLarge(
            limit=limit,
            problems=[Problem("", "too_large", f"send at most {limit:,} bytes, not {len(data):,}")],
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _bad("not_utf8", f"byte {error.start} is not UTF-8; save the file as UTF-8") from None
    try:
        value = json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_no_constant)
        problems = unstorable(value)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _bad("invalid_json", f"{where}: {error.msg}") from None
    except _NotStrict as error:
        raise _bad("invalid_json", str(error)) from None
    except RecursionError:
        raise _bad("too_deep", "brackets are nested too deeply; flatten the document") from None
    except ValueError:
        # The only other one that the reader raises: Python's guard against huge integers.
        raise _bad("invalid_json", "a number has too many digits; send it as a string") from None
    if problems:
        raise BadDocument(problems=problems)
    return value


def unstorable(value: Any) -> list[Problem]:
    """Problems with text that PostgreSQL cannot keep: NUL, and lone halves of surrogate pairs."""
    return [
        Problem(path, "unstorable_text", "remove the NUL or broken Unicode character in this text")
        for path, text in _texts(value, "")
        if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text)
    ]


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every string in `value`, keys included, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            # A bad key is shown at its object: its own name could not be printed.
            yield path, key
            yield from _texts(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, f"{path}[{index}]")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _NotStrict(f"the key {twice!r} is given twice in one object; keep one of them")
    return table


def _no_constant(name: str) -> NoReturn:
    raise _NotStrict(f"{name} is not JSON; leave the key out or use null")


def _bad(code: str, message: str) -> BadDocument:
    return BadDocument(problems=[Problem("", code, message)])
