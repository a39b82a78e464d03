"""A DAG's parameters: JSON Schemas in its definition, values in a run's conf."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable

from dags_app.domain import problems
from skytrail.errors import Invalid, Problem

#: A run's conf may be this large, in bytes of JSON.
MAX_CONF_BYTES = 65_536

#: A regular expression can be made to run for ever; a short one is at least visible.
MAX_PATTERN = 200


class BadConf(Invalid):
    """The conf does not fit the DAG's parameters."""


def schema_problems(params: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the parameters' own schemas and defaults."""
    found: list[Problem] = []
    for name, schema in params.items():
        if not isinstance(schema, dict):
            continue  # the field's own check has said so
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            inner = problems.path(list(error.absolute_path))
            found.append(Problem(inner, "bad_schema", error.message).within(name))
            continue
        unusable = [
            Problem(path, "bad_schema", message) for path, message in _unusable(schema, name)
        ]
        found += unusable
        if "default" in schema and not unusable:
            found += [
                Problem(f"{name}.default", "bad_default", problem.message)
                for problem in _violations(schema, schema["default"], name)
            ]
    return found


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
            found += _violations(schema, conf[name], name)
        elif "default" in schema:
            values[name] = schema["default"]
        else:
            found.append(Problem(name, "missing", "this parameter has no default; give a value"))
    for name in conf.keys() - params.keys():
        close = problems.suggestion(name, params)
        found.append(Problem(name, "unknown_param", f"the DAG has no such parameter{close}"))
    if found:
        raise BadConf(problems=problems.listed([problem.within("conf") for problem in found]))
    return values


def _unusable(schema: Any, path: str) -> Iterator[tuple[str, str]]:
    """What the meta-schema lets pass and validation would stumble over."""
    if isinstance(schema, list):
        for index, inner in enumerate(schema):
            yield from _unusable(inner, f"{path}[{index}]")
    if not isinstance(schema, dict):
        return
    for key, inner in schema.items():
        here = f"{path}.{key}"
        if key == "$ref" and not str(inner).startswith("#"):
            yield here, "only references within the schema (#/…) are followed; write it out"
        elif key == "pattern" and isinstance(inner, str):
            if len(inner) > MAX_PATTERN:
                yield here, f"a pattern may have at most {MAX_PATTERN} characters"
            try:
                re.compile(inner)
            except re.error as error:
                yield here, f"no regular expression: {error}"
        elif key not in {"default", "const", "enum", "examples"}:
            yield from _unusable(inner, here)


def _violations(schema: Mapping[str, Any], value: Any, name: str) -> list[Problem]:
    # An explicit registry: the library's default one would fetch a remote `$ref` over the network.
    validator = Draft202012Validator(dict(schema), registry=Registry())
    try:
        return [_problem(error, name) for error in validator.iter_errors(value)]
    except Unresolvable as error:
        return [Problem(name, "bad_schema", f"the schema's reference leads nowhere: {error.ref}")]


def _problem(error: ValidationError, name: str) -> Problem:
    message = error.message if len(error.message) <= 300 else f"{error.message[:300]}…"
    inner = problems.path(list(error.absolute_path))
    return Problem(inner, f"not_{error.validator}", message).within(name)
