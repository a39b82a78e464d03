"""Types of single fields: what JSON says, taken at its word.

pydantic would read `"3"`, `3.0` and `true` as the number three. Here a number is a number: what is
refused at the door cannot surprise anybody at night, and the published JSON Schema says the same.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    Strict,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError

#: Airflow's rule for ids, which also keeps them usable in URLs, file names and templates.
IDENTIFIER = r"^[A-Za-z0-9_.-]+$"
_IDENTIFIER = re.compile(r"[A-Za-z0-9_.-]+")

_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)


def _whole(value: Any) -> Any:
    # In JSON 3 and 3.0 are one number.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _number(value: Any) -> Any:
    # What no float can hold is out of bounds, and said to be, as less of it would.
    if isinstance(value, int) and abs(value) > 10**300:
        return 1e300 if value > 0 else -1e300
    # -0.0 is 0.0, but is spelled otherwise, and so would have another checksum.
    return value + 0.0 if isinstance(value, float) else value


def _identifier(value: str) -> str:
    if not _IDENTIFIER.fullmatch(value):
        raise PydanticCustomError(
            "identifier",
            "use only letters a–z and A–Z, digits, and the characters _ . - "
            "(a description may hold any text)",
        )
    if not value.strip("."):
        raise PydanticCustomError(
            "identifier", "a name of dots alone leads elsewhere in addresses; add a letter"
        )
    return value


def read_moment(value: Any) -> datetime | None:
    """The time that `value` names, without a zone where it names none; None if it names no time.

    Text like `2026-01-31` or `2026-01-31T09:00:00+01:00`, and what YAML makes of it.
    """
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        try:
            return datetime.fromisoformat(value)
        except ValueError:  # the 30th of February
            return None
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time())
    return value if isinstance(value, datetime) else None


def _moment(value: Any) -> datetime:
    moment = read_moment(value)
    if moment is None:
        raise PydanticCustomError(
            "not_a_date",
            "write a date and time like 2026-01-31T09:00:00+01:00, or a date like 2026-01-31",
        )
    # Further out a change of zone would leave the calendar.
    if (
        not datetime(1900, 1, 1, tzinfo=UTC)
        <= moment.replace(tzinfo=UTC)
        < datetime(9000, 1, 1, tzinfo=UTC)
    ):
        raise PydanticCustomError("out_of_range", "use a year from 1900 to 8999")
    return moment


def _scalar(value: Any) -> Any:
    if not isinstance(value, str | int | float | bool):
        raise PydanticCustomError(
            "not_a_scalar",
            "this must be text in quotes, a number, true or false; for a list or an object, write "
            "it as JSON in quotes",
        )
    return value


def as_text(value: Any) -> Any:
    """Numbers and truth values as JSON spells them: a template may have left one in a text's place.

    Anything else is handed on as it is.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _in_one_order(words: list[str]) -> list[str]:
    # Their order and repetitions mean nothing, so one meaning has one form.
    return sorted(set(words))


class _NoOtherKeys:
    """For the published schema of a table: keys that break the pattern are refused.

    pydantic says what a key looks like, and leaves open what becomes of others.
    """

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        schema = handler(core)
        if "patternProperties" in schema:
            schema["additionalProperties"] = False
        return schema


#: Beside a `dict` whose keys have a pattern.
NO_OTHER_KEYS = _NoOtherKeys()

_SCALAR_TYPES = ["string", "number", "boolean"]

# Where a number may be null, its bounds must stand before these, or pydantic leaves them out of the
# schema: `Annotated[int, Field(strict=True, ge=1), IN_WHOLES] | None`.
IN_WHOLES = BeforeValidator(_whole)
IN_NUMBERS = BeforeValidator(_number)

#: A whole number: 3 or 3.0, but not "3" and not true.
Whole = Annotated[int, Strict(), IN_WHOLES]
#: A number: not "3" and not true.
Number = Annotated[float, Strict(), IN_NUMBERS]
#: true or false: not "yes" and not 1.
Flag = Annotated[bool, Strict()]
#: Text, a number, true or false.
Scalar = Annotated[Any, AfterValidator(_scalar), WithJsonSchema({"type": _SCALAR_TYPES})]
#: Text; a number, true or false stand for themselves as JSON spells them.
TextOrScalar = Annotated[str, BeforeValidator(as_text, json_schema_input_type=str | float | bool)]
#: A date, or a date and time, with or without an offset.
Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^({_MOMENT.pattern})$",
            "examples": ["2026-01-31", "2026-01-31T09:00:00+01:00"],
        }
    ),
]
#: The name of something: of a DAG, a task, a queue, a pool, a parameter.
Identifier = Annotated[
    str,
    Field(
        min_length=1, max_length=250, json_schema_extra={"pattern": r"^(?!\.+$)[A-Za-z0-9_.-]+$"}
    ),
    AfterValidator(_identifier),
]
#: Names or words whose order means nothing: kept sorted, each once.
WordSet = Annotated[list[str], AfterValidator(_in_one_order)]
