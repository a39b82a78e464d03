"""Filling in a command's templates, such as `{{ outputs.fetch.rows }}`.

Jinja, sandboxed and strict: what is missing is an error and not an empty text. Where a text is one
expression and nothing else, its value keeps its type: a list stays a list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from jinja2 import StrictUndefined, TemplateError, Undefined, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import ValidationError

from dags_app.domain import templates
from dags_app.domain.commands import Command
from runs_app.domain.executions import Execution

C = TypeVar("C", bound=Command)

#: A rendered text may be this long.
MAX_RENDERED = 1_000_000

#: Repeating and raising to powers is how a short template eats all memory.
_MAX_NUMBER = 10**6


class CannotRender(Exception):
    """A template could not be filled in; the text says which and why."""


class _Sandbox(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"**", "*"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        numbers = [value for value in (left, right) if isinstance(value, int | float)]
        bounded = all(abs(number) <= _MAX_NUMBER for number in numbers)
        if operator == "**" and not (bounded and abs(right) <= 64):
            raise SecurityError("this power is too large")
        if operator == "*" and not (len(numbers) == 2 or bounded):
            raise SecurityError("this repetition is too long")
        return super().call_binop(context, operator, left, right)


_ENVIRONMENT = _Sandbox(undefined=StrictUndefined, autoescape=False)  # no HTML is made


def render(command: C, execution: Execution, outputs: Callable[[set[str]], Mapping[str, Any]]) -> C:
    """`command` with its templates filled in; `outputs` fetches those of the tasks it names.

    Raises `CannotRender`.
    """
    fields = {
        name: value for name in command.templated if _has_template(value := getattr(command, name))
    }
    if not fields:
        return command
    context = _context(execution, outputs(_referred_to(fields)))
    rendered = {name: _render(value, name, context) for name, value in fields.items()}
    document = command.model_dump(by_alias=True) | {
        type(command).model_fields[name].alias or name: value for name, value in rendered.items()
    }
    try:
        return type(command).model_validate(document)
    except ValidationError as error:
        finding = error.errors()[0]
        where = ".".join(str(part) for part in finding["loc"])
        raise CannotRender(f"{where}, filled in, cannot be used: {finding['msg']}") from None


def _context(execution: Execution, outputs: Mapping[str, Any]) -> dict[str, Any]:
    """The names that templates may use: Airflow's, where Skytrail has the same thing."""
    context: dict[str, Any] = {
        "outputs": outputs,
        "params": execution.conf,
        "dag_id": execution.dag_id,
        "run_id": execution.run_id,
        "task_id": execution.task_id,
        "map_index": execution.map_index,
        "try_number": execution.attempt,
    }
    for name in ("logical_date", "data_interval_start", "data_interval_end"):
        date: datetime | None = getattr(execution, name)
        if date is not None:
            context[name] = date.isoformat()
    if execution.logical_date is not None:
        context["ds"] = f"{execution.logical_date:%Y-%m-%d}"
        context["ds_nodash"] = f"{execution.logical_date:%Y%m%d}"
        context["ts"] = execution.logical_date.isoformat()
        context["ts_nodash"] = f"{execution.logical_date:%Y%m%dT%H%M%S}"
    return context


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
        if (expression := _only_expression(text)) is not None:
            compiled = _ENVIRONMENT.compile_expression(expression, undefined_to_none=False)
            value = compiled(**context)
            if isinstance(value, Undefined):
                str(value)  # a strict undefined value says what is missing when it is used
            return value
        rendered = _ENVIRONMENT.from_string(text).render(**context)
    except (TemplateError, ArithmeticError, TypeError, ValueError, LookupError) as error:
        raise CannotRender(f"{path}: {{{{ … }}}} cannot be filled in: {error}") from error
    if len(rendered) > MAX_RENDERED:
        raise CannotRender(f"{path} is longer than {MAX_RENDERED:,} characters when filled in")
    return rendered


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
        and not isinstance(body[0].nodes[0], nodes.TemplateData)
    )
    return stripped[2:-2].strip("-+ \t\n") if is_single else None
