"""Reading YAML: the core schema of YAML 1.2, and no more of the language than JSON has.

PyYAML reads YAML 1.1, in which `no` is false, `22:30` is 1350 and `010` is 8. So only its parser is
used, which says what stands where; what a word means is decided here. Aliases, anchors, tags and
merge keys are refused: a few hundred bytes of aliases stand for gigabytes, and whoever reads a
definition should see all of it. Nothing is built before it is known to be within bounds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from skytrail.documents.errors import MAX_BYTES, MAX_DEPTH, TOO_DEEP, BadDocument, as_text, bad
from skytrail.documents.paths import Place, parts_of, path_of
from skytrail.documents.storing import unstorable
from skytrail.errors import Problem

#: As many values as a megabyte could hold; and so many flaws are listed.
_MAX_VALUES = 200_000
_MAX_FLAWS = 100

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# The core schema's words: https://yaml.org/spec/1.2.2/#103-core-schema
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")

#: Longer numbers are text: Python refuses to read them, and nobody means them.
_MAX_DIGITS = 300


@dataclass
class Located:
    """A value, and where in its text each part of it stands."""

    value: Any
    #: Line and column, counted from 1, by the id of what holds a value and its key or index there.
    marks: dict[tuple[int, str | int], tuple[int, int]] = field(default_factory=dict)

    def where(self, path: str) -> tuple[int, int]:
        """Line and column of a place: of its value, or of the closest thing around it there is."""
        here, found = self.value, (1, 1)
        for part in parts_of(path):
            mark = self.marks.get((id(here), part))
            if mark is None:
                break
            found, here = mark, here[part]
        return found


def read_yaml(raw: bytes | str, *, limit: int = MAX_BYTES) -> Located:
    """The value that `raw` spells; JSON is YAML too.

    Raises `DocumentTooLarge` over `limit` bytes, and `BadDocument` for anything that is not plain
    YAML in UTF-8: each problem with its line and column.
    """
    text = as_text(raw, limit)
    reader = _Reader()
    try:
        located = reader.read(yaml.parse(text, Loader=_LOADER))
    except yaml.YAMLError as error:
        raise bad("invalid_yaml", _in_words(error)) from None
    problems = reader.problems or [
        Problem(flaw.path, flaw.code, _at(located.where(flaw.path), flaw.message))
        for flaw in unstorable(located.value)
    ]
    if problems:
        raise BadDocument(problems=problems)
    return located


def _at(where: tuple[int, int], message: str) -> str:
    return f"line {where[0]}, column {where[1]}: {message}"


def _in_words(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or "this cannot be read"
    context = getattr(error, "context", None)
    message = f"{what} ({context})" if context else str(what)
    if "cannot start any token" in message and "\\t" in message:
        message = "a tab cannot indent YAML; use spaces"
    if mark is None:
        return message
    return _at((mark.line + 1, mark.column + 1), message)


@dataclass
class _Open:
    """An object or a list that is being read."""

    value: Any
    place: Place
    #: Of an object: the key whose value comes next.
    key: str | None = None
    key_is_next: bool = True


class _Reader:
    """Puts a value together from what the parser finds, within bounds."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._located = Located(None)
        self._open: list[_Open] = []
        self._count = 0
        self._documents = 0

    def read(self, events: Iterator[Any]) -> Located:
        """All of the document. What is wrong is in `problems` then."""
        for event in events:
            if len(self.problems) >= _MAX_FLAWS:
                break
            if isinstance(event, yaml.DocumentStartEvent):
                self._documents += 1
                if self._documents > 1:
                    self._refuse(event, "two_documents", "one document a file; split it up")
                    break
            elif isinstance(event, yaml.AliasEvent):
                self._refuse(
                    event, "alias", f"aliases are not taken (*{event.anchor}); write it out"
                )
                self._put(event, None)
            elif isinstance(event, yaml.NodeEvent):
                self._node(event)
                if self._count > _MAX_VALUES:
                    self._refuse(event, "too_large", "this has too many values; split it up")
                    break
            elif isinstance(event, yaml.CollectionEndEvent):
                self._open.pop()
        if not self._documents or (self._located.value is None and not self.problems):
            self.problems.append(
                Problem("", "invalid_yaml", "there is nothing in it; write a definition")
            )
        return self._located

    def _node(self, event: Any) -> None:
        if event.anchor is not None:
            message = f"anchors are not taken (&{event.anchor}); write it out where it is needed"
            self._refuse(event, "anchor", message)
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
            return
        if event.tag is not None and not event.implicit:
            self._refuse(event, "tag", f"tags are not taken ({event.tag}); leave it out")
        value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        place = self._put(event, value)
        if len(self._open) >= MAX_DEPTH:
            self._refuse(event, "too_deep", TOO_DEEP)
            raise BadDocument(problems=self.problems)
        self._open.append(_Open(value, place))

    def _scalar(self, event: Any) -> None:
        if event.tag is not None and not any(event.implicit):
            self._refuse(event, "tag", f"tags are not taken ({event.tag}); leave it out")
        is_plain = not event.style and event.implicit[0]
        holder = self._open[-1] if self._open else None
        if holder is not None and isinstance(holder.value, dict) and holder.key_is_next:
            self._key(event, holder, is_plain=is_plain)
        else:
            self._put(event, _meaning(event.value) if is_plain else event.value)

    def _key(self, event: Any, holder: _Open, *, is_plain: bool) -> None:
        name = event.value
        holder.key, holder.key_is_next = name, False
        if is_plain and name == "<<":
            self._refuse(event, "merge_key", "merge keys are not taken; write the keys out")
        elif is_plain and not isinstance(_meaning(name), str):
            message = f"the key {name} is not text; write it in quotes"
            self._refuse(event, "key_not_text", message)
        if name in holder.value:
            message = f"the key {name!r} is given twice in one object; keep one of them"
            self._refuse(event, "repeated_key", message)

    def _put(self, event: Any, value: Any) -> Place:
        """Puts a value where it belongs; its place."""
        self._count += 1
        if not self._open:
            self._located.value = value
            return None
        holder = self._open[-1]
        key: str | int
        if isinstance(holder.value, list):
            key = len(holder.value)
            holder.value.append(value)
        elif holder.key_is_next:
            self._refuse(event, "key_not_text", "a key must be text, not a list or an object")
            holder.key, holder.key_is_next = "", False
            return holder.place
        else:
            key = holder.key or ""
            holder.value[key] = value
            holder.key_is_next = True
        mark = event.start_mark
        self._located.marks[id(holder.value), key] = (mark.line + 1, mark.column + 1)
        return (holder.place, key)

    def _refuse(self, event: Any, code: str, message: str) -> None:
        place = self._open[-1].place if self._open else None
        mark = event.start_mark
        self.problems.append(
            Problem(path_of(place), code, _at((mark.line + 1, mark.column + 1), message))
        )


def _meaning(text: str) -> Any:
    """What a word without quotes means in the core schema."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if len(text) <= _MAX_DIGITS:
        if _INT.fullmatch(text):
            return int(text)
        if _OCTAL.fullmatch(text):
            return int(text, 0)
        if _HEX.fullmatch(text):
            return int(text, 0)
        if _FLOAT.fullmatch(text):
            return float(text)
    if _NOT_FINITE.fullmatch(text):
        return float(text.replace(".", "").lower())
    return text
