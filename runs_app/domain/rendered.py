"""What templates were filled in to, as it is kept for people to read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from skytrail.documents import storable

#: All of a task's fields together, as JSON, have at most so many bytes.
MAX_BYTES = 65_536

#: Where that is more than there may be: characters of a text, and entries of a list or an object.
_CHARACTERS = 1_000
_ENTRIES = 50


def bounded(fields: Mapping[str, Any]) -> dict[str, Any]:
    """`fields` as the database takes them; what is too long is cut, and says how long it was."""
    given: dict[str, Any] = _storable(fields)
    if _size(given) <= MAX_BYTES:
        return given
    cut = {name: _cut(value) for name, value in given.items()}
    if _size(cut) <= MAX_BYTES:
        return cut
    return {name: f"… ({_size(value):,} bytes as JSON)" for name, value in given.items()}


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [_storable(inner) for inner in value]
    if isinstance(value, Mapping):
        return {_storable(key): _storable(inner) for key, inner in value.items()}
    return value


def _size(value: Any) -> int:
    return len(json.dumps(value))


def _cut(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _CHARACTERS:
        return f"{value[:_CHARACTERS]}… ({len(value):,} characters)"
    if isinstance(value, list):
        more = [f"… ({len(value):,} entries)"] if len(value) > _ENTRIES else []
        return [_cut(inner) for inner in value[:_ENTRIES]] + more
    if isinstance(value, Mapping):
        more_keys = {"…": f"({len(value):,} entries)"} if len(value) > _ENTRIES else {}
        return {key: _cut(inner) for key, inner in list(value.items())[:_ENTRIES]} | more_keys
    return value
