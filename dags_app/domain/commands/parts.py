"""Types of single parameters: dotted paths, names of variables and headers, addresses, statuses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, LiteralString

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from dags_app.domain import placeholders
from dags_app.domain.fields import NO_OTHER_KEYS, Scalar, TextOrScalar
from dags_app.domain.templates import NAMES, is_template
from skytrail.store import HANDLE

NAME = "[A-Za-z_][A-Za-z0-9_]*"
_DOTTED_PATH = rf"{NAME}(\.{NAME})*[.:]{NAME}(\.{NAME})*"
_STATUS_RANGE = "[1-5][0-9][0-9](-[1-5][0-9][0-9])?"
_ENV_NAME = f"(?!SKYTRAIL_){NAME}"
_HEADER_NAME = "[A-Za-z0-9!#$%&'*+.^_`|~-]+"
HTTP_URI = r"([Hh][Tt][Tt][Pp][Ss]?://[^/?#\s]|\{\{)"

# Within braces: text in quotes, or a name that a template would fill in, and what is taken of it.
# What belongs to somebody else is left alone: `{{.State}}` of Go's templates, `{{ print $1 }}`.
_BRACES = re.compile(r"\{[{%]([^{}]*)")
_FILLED_IN = re.compile(
    r"""'[^']*'|"[^"]*"|(?<![\w.$])((?:"""
    + "|".join(sorted(NAMES))
    + r""")\b(?:\.\w+|\[[^][]*\])*)"""
)


def _dotted_path(value: str) -> str:
    if not re.fullmatch(_DOTTED_PATH, value):
        raise PydanticCustomError(
            "dotted_path",
            "write a dotted path to a function, like my_project.reports.build or "
            "my_project.reports:build",
        )
    return value


def safe_command(value: str) -> str:
    return _without_pasted_values(
        value,
        "a value pasted into a shell command could run as code; hand it over as an "
        'environment variable instead: "env": {"VALUE": "{{ {name} }}"} and "$VALUE" in '
        "the command",
    )


def safe_sql(value: str) -> str:
    return _without_pasted_values(
        value,
        "a value pasted into SQL could run as code; let the database bind it instead: "
        '"parameters": {"value": "{{ {name} }}"} and %(value)s in the statement',
    )


def safe_statements(value: str | list[str]) -> str | list[str]:
    for statement in [value] if isinstance(value, str) else value:
        safe_sql(statement)
    return value


def _without_pasted_values(value: str, message: LiteralString) -> str:
    for inside in _BRACES.finditer(value):
        for name in filter(None, _FILLED_IN.findall(inside[1])):
            raise PydanticCustomError(
                "pasted_value", message, {"name": name if len(name) <= 80 else "…"}
            )
    return value


def check_bound(statements: Sequence[str], bound: dict[str, Any] | list[Any]) -> None:
    """Raises where places for values and values do not meet; see `placeholders`."""
    used: set[str] = set()
    for statement in statements:
        try:
            used |= placeholders.check(statement, bound)
        except placeholders.BadPlaceholder as error:
            raise PydanticCustomError("placeholder", "{error}", {"error": str(error)}) from None
    for name in sorted(bound.keys() - used) if isinstance(bound, dict) else ():
        raise PydanticCustomError(
            "placeholder",
            "no statement has a place for the value {name}; write %({name})s, or take it away",
            {"name": name},
        )


def _env_name(value: str) -> str:
    if not re.fullmatch(NAME, value):
        raise PydanticCustomError(
            "env_name",
            "this cannot name an environment variable; use letters, digits and _, and no digit "
            "first",
        )
    if value.startswith("SKYTRAIL_"):
        raise PydanticCustomError(
            "env_name",
            "names that begin with SKYTRAIL_ are set by Skytrail; use another name",
        )
    return value


def _header_name(value: str) -> str:
    if not re.fullmatch(_HEADER_NAME, value):
        raise PydanticCustomError(
            "header_name", "this cannot name a header; use letters, digits and -"
        )
    return value


def _header_value(value: str) -> str:
    # A template is looked at again when it is filled in.
    if not is_template(value) and not (value.isascii() and (value.isprintable() or not value)):
        raise PydanticCustomError(
            "header_value",
            "a header holds plain ASCII without line breaks; encode the value, or send it in the "
            "body",
        )
    return value


def _status_rule(value: Any) -> int | str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value) if isinstance(value, int | str) else ""
    if not re.fullmatch(_STATUS_RANGE, text):
        raise PydanticCustomError(
            "status_rule", 'give a status like 200 or a range like "200-299", from 100 to 599'
        )
    first, _, last = text.partition("-")
    if last and last < first:
        raise PydanticCustomError("status_rule", "this range runs backwards; swap its ends")
    return int(first) if last in {"", first} else text


def _output_names(names: list[str]) -> list[str]:
    for name in names:
        if not re.fullmatch(NAME, name) or name == "return_value":
            raise PydanticCustomError(
                "output_name",
                "{name} cannot name an output; use letters, digits and _, and no digit first "
                "(return_value is what is not named)",
                {"name": name if len(name) <= 80 else "…"},
            )
    # Their order means nothing, so one meaning has one form.
    return sorted(set(names))


def sorted_rules(rules: list[int | str]) -> list[int | str]:
    # Their order means nothing, so one meaning has one form.
    return sorted(set(rules), key=str)


def http_uri(value: str, info: ValidationInfo) -> str:
    # A template may stand for the host too: the whole is checked again when it is rendered. With a
    # connection, which is validated before, a path below it will do.
    if info.data.get("conn_id") is None and not re.match(HTTP_URI, value):
        raise PydanticCustomError(
            "http_uri",
            "write a full address, like https://example.org/data.json; or a path, and the "
            "connection it belongs to as conn_id",
        )
    return value


def _pattern(expression: str) -> dict[str, Any]:
    return {"pattern": f"^({expression})$"}


DottedPath = Annotated[
    str,
    Field(max_length=500, json_schema_extra=_pattern(_DOTTED_PATH)),
    AfterValidator(_dotted_path),
]
EnvName = Annotated[str, Field(json_schema_extra=_pattern(_ENV_NAME)), AfterValidator(_env_name)]


def _artifact_or(value: Any, others: ValidatorFunctionWrapHandler) -> Any:
    # A template may have left one: the command is given the path of a copy.
    return value if isinstance(value, dict) and HANDLE in value else others(value)


Variable = Annotated[Scalar, WrapValidator(_artifact_or)]
Environment = Annotated[dict[EnvName, Variable], NO_OTHER_KEYS]
HttpUri = Annotated[str, Field(min_length=1, max_length=8192), AfterValidator(http_uri)]
OutputNames = Annotated[
    list[Annotated[str, Field(json_schema_extra=_pattern(f"(?!return_value$){NAME}"))]],
    Field(max_length=250),
    AfterValidator(_output_names),
]
HeaderName = Annotated[
    str, Field(json_schema_extra=_pattern(_HEADER_NAME)), AfterValidator(_header_name)
]
HeaderValue = Annotated[TextOrScalar, AfterValidator(_header_value)]
StatusRule = Annotated[
    int | str,
    BeforeValidator(_status_rule),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 100, "maximum": 599},
                {"type": "string", **_pattern(_STATUS_RANGE)},
            ]
        }
    ),
]
