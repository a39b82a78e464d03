"""Fields for a DAG's parameters, made from their JSON Schemas; and what was written into them."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from skytrail.errors import Problem

#: Text that is longer than this when it is empty of a value gets an area to be written in.
_LONG = 120


class Kind(enum.StrEnum):
    """What a value is written into."""

    LINE = "line"
    AREA = "area"
    NUMBER = "number"
    TICK = "tick"
    CHOICE = "choice"
    DATE = "date"
    MOMENT = "moment"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter as a form shows it. `text` is its value, or what was written; of a tick `on`."""

    name: str
    kind: Kind
    text: str
    title: str = ""
    help: str = ""
    is_required: bool = False
    choices: tuple[str, ...] = ()
    least: str = ""
    most: str = ""
    longest: str = ""
    step: str = "any"
    problem: str = ""


def fields(params: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any]) -> list[Field]:
    """A field for each parameter, with its value in `given` or its default."""
    return [_field(name, schema, given) for name, schema in params.items()]


def read(
    params: Mapping[str, Mapping[str, Any]], written: Mapping[str, str]
) -> tuple[dict[str, Any], list[Problem]]:
    """The values that were written, by parameter, and what cannot be read of them.

    What was left empty is left out: then the default counts, or its lack is said by who checks
    the whole. Text that may be empty is the exception: there empty is a value.
    """
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, schema in params.items():
        kind = kind_of(schema)
        if kind is Kind.TICK:
            values[name] = name in written
            continue
        text = written.get(name)
        if text is None or (not text.strip() and not _may_be_empty(schema, kind)):
            continue
        try:
            values[name] = _value(kind, schema, text)
        except ValueError as error:
            problems.append(Problem(f"conf.{name}", "unreadable", str(error)))
    return values, problems


def kind_of(schema: Mapping[str, Any]) -> Kind:
    """How a value of this schema is best written."""
    types = _types(schema)
    if isinstance(schema.get("enum"), list):
        return Kind.CHOICE
    if types == {"boolean"}:
        return Kind.TICK
    if types and types <= {"integer", "number"}:
        return Kind.NUMBER
    if types == {"string"}:
        match schema.get("format"):
            case "date":
                return Kind.DATE
            case "date-time":
                return Kind.MOMENT
            case "multiline":
                return Kind.AREA
        length = schema.get("maxLength")
        is_long = isinstance(length, int) and length > _LONG
        return Kind.AREA if is_long or "\n" in str(schema.get("default", "")) else Kind.LINE
    return Kind.JSON


def _types(schema: Mapping[str, Any]) -> set[str]:
    """The types that a value may have; of a parameter without one, that of its default."""
    given = schema.get("type")
    if isinstance(given, str):
        return {given}
    if isinstance(given, list):
        return {str(each) for each in given}
    default = schema.get("default")
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string")):
        if isinstance(default, kind):
            return {name}
    return set()


def _field(name: str, schema: Mapping[str, Any], given: Mapping[str, Any]) -> Field:
    kind = kind_of(schema)
    has_value = name in given or "default" in schema
    value = given.get(name, schema.get("default"))
    types = _types(schema)
    return Field(
        name=name,
        kind=kind,
        text=_text(kind, value) if has_value else "",
        title=str(schema.get("title", "")),
        help=str(schema.get("description", "")),
        is_required="default" not in schema and kind is not Kind.TICK,
        choices=tuple(json.dumps(each, ensure_ascii=False) for each in schema.get("enum", ()))
        if kind is Kind.CHOICE
        else (),
        least=str(schema.get("minimum", "")),
        most=str(schema.get("maximum", "")),
        longest=str(schema.get("maxLength", "")),
        step="1" if types == {"integer"} else "any",
    )


def _text(kind: Kind, value: Any) -> str:
    if kind is Kind.TICK:
        return "on" if value else ""
    if kind in {Kind.JSON, Kind.CHOICE} or not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, indent=2 if kind is Kind.JSON else None)
    return value


def _may_be_empty(schema: Mapping[str, Any], kind: Kind) -> bool:
    return kind in {Kind.LINE, Kind.AREA} and not schema.get("minLength")


def _value(kind: Kind, schema: Mapping[str, Any], text: str) -> Any:
    if kind in {Kind.JSON, Kind.CHOICE}:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            if "string" in _types(schema) or not _types(schema):
                return text
            raise ValueError('write JSON here, such as [1, 2] or {"a": 1}') from None
    if kind is Kind.NUMBER:
        try:
            number = json.loads(text)
        except ValueError:
            number = None
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise ValueError(f"write a number instead of {text[:40]!r}")
        return number
    if kind is Kind.AREA:
        # Browsers send the ends of lines as \r\n.
        return text.replace("\r\n", "\n")
    return text
