"""A task's output on one line: enough of it to see what it is."""

from __future__ import annotations

import json
from typing import Any

#: Characters of the line, and of a text in it.
_LINE = 240
_TEXT = 120
#: Entries of a list: of plain values, and of lists and objects.
_PLAIN, _NESTED = 3, 1


def shortened(output: Any) -> str:
    """The output as JSON in which long texts and lists are cut and what is short comes first."""
    text = json.dumps(_cut(output), ensure_ascii=False)
    return text if len(text) <= _LINE else f"{text[:_LINE]} …"


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return _cut_text(value)
    if isinstance(value, list):
        most = _NESTED if any(isinstance(inner, list | dict) for inner in value) else _PLAIN
        rest = [f"… {len(value)} in all"] if len(value) > most else []
        return [*map(_cut, value[:most]), *rest]
    if isinstance(value, dict):
        # Ordered by length: the one field with a page in it must not hide the others.
        entries = [(name, _cut(inner)) for name, inner in value.items()]
        return dict(sorted(entries, key=lambda entry: len(json.dumps(entry[1]))))
    return value


def _cut_text(text: str) -> str:
    """Its first line, or the beginning of that, where there is more."""
    first = text.partition("\n")[0][:_TEXT].rstrip()
    return text if first == text else f"{first} … ({len(text):,} characters)"
