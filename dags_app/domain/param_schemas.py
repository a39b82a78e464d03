"""Which JSON Schemas a parameter may have: those whose checking always ends, and soon.

The meta-schema allows more: references to other machines, references in a circle, and nests of
references that double at each step. A value is checked when a run is asked for, while somebody
waits, so the work that a schema can make is bounded here, when it is declared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

#: A place in a schema: keys and indexes.
Location = tuple[str | int, ...]

#: A regular expression can be made to run for ever; a short one is at least visible.
MAX_PATTERN = 200

#: How many schemas a schema may come to when each reference is replaced by what it refers to.
MAX_UNFOLDED = 2_000

# Where a schema holds further schemas: in a table, in a list, or one (JSON Schema 2020-12, §10).
_TABLES = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_SINGLE = (
    *("items", "contains", "additionalProperties", "propertyNames", "contentSchema"),
    *("not", "if", "then", "else"),
)

# Kept there for others to refer to, and not applied.
_SHELVES = ("$defs", "definitions")

_REFUSED = {
    "$id": "a parameter's schema stands by itself; remove $id",
    "$anchor": "refer to a place as #/$defs/name; remove $anchor",
    "$dynamicAnchor": "refer to a place as #/$defs/name; remove $dynamicAnchor",
    "$dynamicRef": "use $ref with a place in this schema, like #/$defs/name",
    # Each of them has all its neighbours checked twice: nested, the work doubles at each level.
    "unevaluatedProperties": "use additionalProperties instead",
    "unevaluatedItems": "use items instead",
}


class _Endless(Exception):
    """A schema that leads back to itself, or unfolds to more than `MAX_UNFOLDED`."""


def flaws(schema: Mapping[str, Any]) -> Iterator[tuple[Location, str]]:
    """Each reason why `schema` cannot be used: where, and what to do. None: it can."""
    if not schema.keys() - {"default", "title", "description", "examples"}:
        return
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        yield (
            tuple(error.absolute_path),
            f"this is no JSON Schema: {_shortened(error.message)}; correct it",
        )
        return
    except RecursionError:
        yield (), "this schema is nested too deeply; flatten it"
        return
    found = [flaw for place, part in _parts(schema, ()) for flaw in _own_flaws(part, place, schema)]
    yield from found
    if not found:
        yield from _endless(schema)


def _shortened(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:300]}…"


def _parts(schema: Any, place: Location) -> Iterator[tuple[Location, dict[str, Any]]]:
    """`schema` and every schema inside it."""
    if isinstance(schema, dict):
        yield place, schema
        for where, inner in _inner(schema):
            yield from _parts(inner, place + where)


def _inner(schema: dict[str, Any]) -> Iterator[tuple[Location, Any]]:
    for key in _TABLES:
        for name, inner in schema.get(key, {}).items():
            yield (key, name), inner
    for key in _LISTS:
        for index, inner in enumerate(schema.get(key, ())):
            yield (key, index), inner
    for key in _SINGLE:
        if key in schema:
            yield (key,), schema[key]


def _own_flaws(
    part: dict[str, Any], place: Location, schema: Mapping[str, Any]
) -> Iterator[tuple[Location, str]]:
    for key in _REFUSED.keys() & part.keys():
        yield (*place, key), _REFUSED[key]
    for where, pattern in _patterns(part):
        if message := _bad_pattern(pattern):
            yield place + where, message
    if "$ref" in part and _referred(part["$ref"], schema) is None:
        yield (
            (*place, "$ref"),
            "this leads nowhere; refer to a place in this parameter's schema, like #/$defs/name",
        )


def _patterns(part: dict[str, Any]) -> Iterator[tuple[Location, str]]:
    if "pattern" in part:
        yield ("pattern",), part["pattern"]
    for pattern in part.get("patternProperties", ()):
        yield ("patternProperties", pattern), pattern


def _bad_pattern(pattern: str) -> str | None:
    if len(pattern) > MAX_PATTERN:
        return f"a pattern may have at most {MAX_PATTERN} characters; shorten it"
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return f"this is no regular expression: {error}; correct it"
    return None


def _referred(reference: str, schema: Mapping[str, Any]) -> Any:
    """What a JSON pointer behind `#` leads to; None if that is no schema."""
    here: Any = schema
    if reference != "#" and not reference.startswith("#/"):
        return None
    for step in unquote(reference[1:]).split("/")[1:] if reference != "#" else ():
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(here, list) and key.isdecimal() and int(key) < len(here):
            here = here[int(key)]
        elif isinstance(here, dict) and key in here:
            here = here[key]
        else:
            return None
    return here if isinstance(here, dict | bool) else None


def _endless(schema: Mapping[str, Any]) -> Iterator[tuple[Location, str]]:
    try:
        size = _Unfolding(schema).size(schema)
    except (_Endless, RecursionError):
        yield (), "its references lead back to themselves, or too far; write it without $ref"
        return
    if size > MAX_UNFOLDED:
        words = f"with its references written out it has more than {MAX_UNFOLDED:,} parts"
        yield (), f"{words}; make it simpler"


class _Unfolding:
    """Counts the parts of a schema with each reference replaced by what it refers to."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = schema
        self.sizes: dict[int, int] = {}
        self.open: set[int] = set()

    def size(self, part: Any) -> int:
        if not isinstance(part, dict):
            return 1
        known = self.sizes.get(id(part))
        if known is not None:
            return known
        if id(part) in self.open:
            raise _Endless
        self.open.add(id(part))
        size = 1 + sum(
            self.size(inner) for where, inner in _inner(part) if where[0] not in _SHELVES
        )
        if "$ref" in part:
            size += self.size(_referred(part["$ref"], self.schema))
        self.open.discard(id(part))
        self.sizes[id(part)] = size
        return size
