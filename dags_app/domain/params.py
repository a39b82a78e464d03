"""A DAG's parameters: JSON Schemas in its definition, values in a run's conf."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry

from dags_app.domain import param_schemas, problems
from skytrail.documents import oversize, path
from skytrail.errors import Invalid, Problem

#: A run's conf may be this large, in bytes of JSON.
MAX_CONF_BYTES = 65_536

#: And so may be all that says what it must look like.
MAX_SCHEMA_BYTES = 65_536


class BadConf(Invalid):
    """The conf does not fit the DAG's parameters."""


def declared(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters' schemas. A plain value stands for a schema with that default.

    Dates, which YAML makes of text that looks like one, are text again.
    """
    schemas = {
        name: given if isinstance(given, dict) else {"default": given}
        for name, given in params.items()
    }
    return {name: _without_dates(schema) for name, schema in schemas.items()}


def schema_problems(params: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the parameters' own schemas and defaults, as seen from the definition."""
    if oversize(params, limit=MAX_SCHEMA_BYTES):
        message = f"parameters may take up at most {MAX_SCHEMA_BYTES:,} bytes of JSON; shorten them"
        return [Problem("params", "too_large", message)]
    return [
        problem
        for name, schema in declared(params).items()
        for problem in _schema_problems(name, schema)
    ]


def without_default(params: Mapping[str, Any]) -> list[str]:
    """The parameters for which every run must be given a value."""
    return [name for name, schema in declared(params).items() if "default" not in schema]


def resolve(params: Mapping[str, Mapping[str, Any]], conf: Any) -> dict[str, Any]:
    """The values a run gets: `conf`, completed by the defaults.

    A DAG that declares no parameters takes any conf. Raises `BadConf` with every problem: a value
    that breaks its schema, a parameter without default that is missing, one that is not declared.
    """
    if not isinstance(conf, dict):
        raise BadConf(problems=[Problem("conf", "not_an_object", "conf must be an object: { … }")])
    if not params:
        return conf
    found: list[Problem] = []
    values: dict[str, Any] = {}
    for name, schema in params.items():
        if name in conf:
            values[name] = conf[name]
            found += _not_fitting(schema, conf[name], name)
        elif "default" in schema:
            values[name] = schema["default"]
        else:
            message = "this parameter has no default; give it a value"
            found.append(Problem(path(["conf", name]), "missing", message))
    suggest = problems.Suggestions()
    for name in conf.keys() - params.keys():
        message = f"the DAG has no such parameter{suggest(name, params) or '; remove it'}"
        found.append(Problem(path(["conf", name]), "unknown_param", message))
    if found:
        raise BadConf(problems=problems.listed(found))
    return values


def _without_dates(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_dates(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_dates(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value


def _schema_problems(name: str, schema: dict[str, Any]) -> Iterator[Problem]:
    unusable = [
        Problem(path(["params", name, *place]), "bad_schema", message)
        for place, message in param_schemas.flaws(schema)
    ]
    yield from unusable
    if "default" in schema and not unusable:
        for error in _violations(schema, schema["default"]):
            place = path(["params", name, "default", *error.absolute_path])
            message = f"{_words(error)}; change the default, or the schema"
            yield Problem(place, "bad_default", message)


def _not_fitting(schema: Mapping[str, Any], value: Any, name: str) -> Iterator[Problem]:
    for error in _violations(schema, value):
        place = path(["conf", name, *error.absolute_path])
        yield Problem(place, f"not_{error.validator}", f"{_words(error)}; change this value")


def _unique_items(
    validator: Any, wanted: Any, items: Any, schema: Any
) -> Iterator[ValidationError]:
    """`uniqueItems` in one pass: the library compares each with each."""
    if wanted and isinstance(items, list):
        seen: set[str] = set()
        for place, item in enumerate(items):
            text = json.dumps(_as_compared(item), sort_keys=True)
            if text in seen:
                yield ValidationError(f"the item at [{place}] repeats an earlier one")
                return
            seen.add(text)


def _as_compared(value: Any) -> Any:
    """In JSON 1 and 1.0 are one number, and true is none."""
    if isinstance(value, dict):
        return {key: _as_compared(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_compared(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


_Validator = extend(  # type: ignore[no-untyped-call]  # untyped library
    Draft202012Validator, {"uniqueItems": _unique_items}
)


def _violations(schema: Mapping[str, Any], value: Any) -> list[ValidationError]:
    # An explicit registry: the library's default one would fetch a remote `$ref` over the network.
    validator = _Validator(dict(schema), registry=Registry())
    return list(islice(validator.iter_errors(value), problems.MAX_PROBLEMS))


def _words(error: ValidationError) -> str:
    return error.message if len(error.message) <= 300 else f"{error.message[:300]}…"
