"""Filling in a command's templates, such as `{{ outputs.fetch.rows }}`.

Jinja, sandboxed and strict: what is missing is an error and not an empty text. Where a text is one
expression and nothing else, its value keeps its type: a list stays a list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, TypeVar

from jinja2 import StrictUndefined, TemplateError, Undefined, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import ValidationError

from dags_app.domain import templates
from dags_app.domain.commands import Command
from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import MAX_OUTPUT_BYTES
from workers.guards.budget import TooMuch, limited
from workers.services import Services
from workers.template_names import (
    DATED,
    FILTERS,
    Events,
    Lookups,
    Needed,
    Table,
    names_to_look_up,
    run_names,
)

C = TypeVar("C", bound=Command)

#: A text, filled in, may be this long; what is one expression, as JSON, as long as an output may.
MAX_RENDERED = 1_000_000

#: So many connections and variables may the templates of one command use.
MAX_SECRETS = 100

#: What filling in one command may take: seconds, and bytes of memory. Templates are short, but what
#: loops in them or repeats itself can be as long as it likes.
_TIME = 1.0
_MEMORY = 128 * 1024 * 1024

#: What comes to that for each byte of the outputs that it uses, as JSON.
_TIME_PER_BYTE = 200e-9
_MEMORY_PER_BYTE = 32

#: The largest number that may be raised to a power, and the highest power.
_MAX_NUMBER = 10**6
_MAX_POWER = 64
_MAX_FACTOR = 10**400


class CannotRender(Exception):
    """A template could not be filled in; the text says which and why."""


class _Missing(StrictUndefined):
    """Says what there would be in place of what is missing."""

    @property
    def _undefined_message(self) -> str:
        table, name = self._undefined_obj, self._undefined_name
        if name in DATED and not self._undefined_hint and not isinstance(table, dict):
            return (
                f"{name!r} is undefined: this run has no logical date or no interval; trigger it "
                "with a logical date, or say what to do without: "
                f"{{{{ {name} | default('…') }}}}"
            )
        if self._undefined_hint or not isinstance(table, dict):
            return str(super()._undefined_message)
        if isinstance(table, _Outputs):
            return f"the task {name!r} has left no output"
        known = [str(key) for key in table]
        there = ", ".join(known[:10]) + (", …" if len(known) > 10 else "")
        return (
            f"there is no {name!r} in it, only: {there}" if known else f"no {name!r}: it is empty"
        )


class _Outputs(dict[str, Any]):
    """The outputs of the tasks that a template names."""


class _Sandbox(ImmutableSandboxedEnvironment):
    # One operation on endless numbers is not interrupted, and may hold everything up for hours.
    intercepted_binops = frozenset({"**", "*"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" and not (abs(left) <= _MAX_NUMBER and abs(right) <= _MAX_POWER):
            raise SecurityError("this power is too large")
        if isinstance(left, int) and isinstance(right, int) and max(left, right) > _MAX_FACTOR:
            raise SecurityError("this product is too large")
        return super().call_binop(context, operator, left, right)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """An entry of a table comes before its methods: `outputs.fetch.items` is what was kept."""
        if isinstance(obj, dict | Events) and attribute in obj:
            return obj[attribute]
        if isinstance(obj, Table) and attribute != "get":
            return obj.entry(attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """`conn["my-db"]` is what `conn.my_db` would be, were it a name."""
        if isinstance(obj, Table) and isinstance(argument, str):
            return obj.entry(argument)
        return super().getitem(obj, argument)


_ENVIRONMENT = _Sandbox(undefined=_Missing, autoescape=False)  # no HTML is made
_ENVIRONMENT.filters |= FILTERS


def nobody(_: Mapping[str, Any]) -> None:
    """Is told, and keeps nothing."""


def render(
    command: C,
    execution: Execution,
    outputs: Callable[[set[str]], Mapping[str, Any]],
    services: Services | None = None,
    *,
    tell: Callable[[Mapping[str, Any]], None] = nobody,
) -> C:
    """`command` with its templates filled in; `outputs` fetches those of the tasks it names.

    Without `services` there is nothing that has to be looked up: `conn`, `var` and so on. `tell` is
    given the fields that had templates in them, by the names that definitions use. Raises
    `CannotRender`.
    """
    fields = {
        name: value for name in command.templated if _has_template(value := getattr(command, name))
    }
    if not fields:
        return command
    found = fill_in(fields, execution, outputs, services)
    names = type(command).model_fields
    rendered = {names[name].alias or name: value for name, value in found.items()}
    tell(rendered)
    document = command.model_dump(by_alias=True) | rendered
    try:
        return type(command).model_validate(document)
    except ValidationError as error:
        finding = error.errors()[0]
        where = ".".join(str(part) for part in finding["loc"])
        raise CannotRender(f"{where}, filled in, cannot be used: {finding['msg']}") from None


def fill_in(
    fields: Mapping[str, Any],
    execution: Execution,
    outputs: Callable[[set[str]], Mapping[str, Any]],
    services: Services | None = None,
) -> dict[str, Any]:
    """`fields` with all templates in them filled in. Raises `CannotRender`."""
    try:
        given = outputs(_referred_to(fields))
        size = len(json.dumps(given)) if given else 0
        context = {"outputs": _Outputs(given), **run_names(execution)}
        lookups = None if services is None else Lookups(services, execution)
        if lookups is not None:
            context |= names_to_look_up(lookups)
        for _ in range(MAX_SECRETS + 1):
            try:
                with limited(
                    seconds=_TIME + size * _TIME_PER_BYTE,
                    more_bytes=_MEMORY + size * _MEMORY_PER_BYTE,
                ):
                    return {name: _render(value, name, context) for name, value in fields.items()}
            except Needed as needed:
                assert lookups is not None  # who else asks
                lookups.look_up(needed)
        raise CannotRender(f"templates may use at most {MAX_SECRETS} connections and variables")
    except (templates.BadTemplate, TooMuch) as error:
        where = ", ".join(sorted(fields))
        raise CannotRender(f"{where}: {{{{ … }}}} cannot be filled in: {error}") from None


def evaluate(text: str, names: Mapping[str, Any]) -> Any:
    """What one template comes to, of nothing but `names`. Raises `CannotRender`."""
    try:
        with limited(seconds=_TIME, more_bytes=_MEMORY):
            return _render_text(text, "condition", names)
    except (templates.BadTemplate, TooMuch) as error:
        raise CannotRender(f"{text}: {error}") from None


def _referred_to(fields: Mapping[str, Any]) -> set[str]:
    return {
        name
        for value in fields.values()
        for _, text in templates.texts_in(value, "")
        for name in templates.references(text).outputs
    }


def _has_template(value: Any) -> bool:
    return any(templates.is_template(text) for _, text in templates.texts_in(value, ""))


def _render(value: Any, path: str, context: Mapping[str, Any]) -> Any:
    if isinstance(value, str) and templates.is_template(value):
        return _render_text(value, path, context)
    if isinstance(value, dict):
        return {key: _render(inner, f"{path}.{key}", context) for key, inner in value.items()}
    if isinstance(value, list):
        return [_render(inner, f"{path}[{i}]", context) for i, inner in enumerate(value)]
    return value


def _render_text(text: str, path: str, context: Mapping[str, Any]) -> Any:
    try:
        template, is_expression = _compiled(text)
        if is_expression:
            value = template(**context)
            return value if isinstance(value, _LEAVES) else _as_json(value)
        rendered: str = template.render(**context)
    except _ERRORS as error:
        raise CannotRender(f"{path}: {{{{ … }}}} cannot be filled in: {error}") from error
    except RecursionError:
        raise CannotRender(f"{path}: {{{{ … }}}} is nested too deeply") from None
    if len(rendered) > MAX_RENDERED:
        raise CannotRender(f"{path} is longer than {MAX_RENDERED:,} characters when filled in")
    return rendered


_ERRORS = (TemplateError, ArithmeticError, TypeError, ValueError, LookupError, AttributeError)
_LEAVES = (bool, int, type(None))


def _as_json(value: Any) -> Any:
    """A value as tasks can take it: all of it there, and only what JSON can say."""
    text = json.dumps(value, default=_listed, allow_nan=False, ensure_ascii=False)
    if len(text) > MAX_OUTPUT_BYTES:
        raise ValueError(f"it is longer than {MAX_OUTPUT_BYTES:,} characters")
    return json.loads(text)


def _listed(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Undefined):
        str(value)  # it says what is missing when it is used
    if isinstance(value, Mapping):
        return dict(value)
    if callable(value) or not isinstance(value, Iterable):
        raise TypeError(f"a {type(value).__name__} is no value; is a pair of brackets missing?")
    return list(value)


@lru_cache(maxsize=256)
def _compiled(text: str) -> tuple[Any, bool]:
    """A template, and whether it is one expression whose value keeps its type."""
    expression = _only_expression(text)
    if expression is None:
        return _ENVIRONMENT.from_string(text), False
    return _ENVIRONMENT.compile_expression(expression, undefined_to_none=False), True


def _only_expression(text: str) -> str | None:
    """The inside of `{{ … }}` where that is the whole text."""
    stripped = text.strip()
    if not (stripped.startswith("{{") and stripped.endswith("}}")):
        return None
    body = _ENVIRONMENT.parse(stripped).body
    is_single = (
        len(body) == 1
        and isinstance(body[0], nodes.Output)
        and len(body[0].nodes) == 1
        and not isinstance(body[0].nodes[0], nodes.TemplateData | nodes.Tuple)
    )
    # A sign right beside the braces is Jinja's, for blanks; any other is the expression's.
    return re.sub(r"^\{\{[-+]?|[-+]?\}\}$", "", stripped).strip() if is_single else None
