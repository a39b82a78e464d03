"""Filling in a command's templates, such as `{{ outputs.fetch.rows }}`.

Jinja, sandboxed and strict: what is missing is an error and not an empty text. Where a text is one
expression and nothing else, its value keeps its type: a list stays a list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar

from jinja2 import TemplateError, Undefined, nodes
from pydantic import ValidationError

from dags_app.domain import templates
from dags_app.domain.commands import Command
from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import MAX_OUTPUT_BYTES
from skytrail.security.redaction import MASK
from workers.guards.budget import TooMuch, limited
from workers.sandbox import ENVIRONMENT, Outputs
from workers.services import Services
from workers.template_names import Lookups, Needed, names_to_look_up, run_names

C = TypeVar("C", bound=Command)

_RenderText: TypeAlias = Callable[[str, str, Mapping[str, Any]], Any]

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


class CannotRender(Exception):
    """A template could not be filled in; the text says which and why."""


@dataclass(frozen=True)
class Filled:
    """Fields whose templates were filled in. `blind` are the same with masks in place of secrets:
    what is otherwise there has been made of a secret, whatever it looks like now.
    """

    fields: dict[str, Any]
    blind: dict[str, Any]

    def renamed(self, names: Mapping[str, str]) -> Filled:
        """The same, the fields called by other names."""
        fields, blind = (
            {names[name]: value for name, value in each.items()}
            for each in (self.fields, self.blind)
        )
        return Filled(fields, blind)


def nobody(_: Filled) -> None:
    """Is told, and keeps nothing."""


def render(
    command: C,
    execution: Execution,
    outputs: Callable[[set[str]], Mapping[str, Any]],
    services: Services | None = None,
    *,
    tell: Callable[[Filled], object] = nobody,
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
    names = {name: type(command).model_fields[name].alias or name for name in fields}
    filled = _filled(fields, execution, outputs, services).renamed(names)
    tell(filled)
    document = command.model_dump(by_alias=True) | filled.fields
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
) -> dict[str, Any]:
    """`fields` with all templates in them filled in, of what needs no looking up.

    Raises `CannotRender`.
    """
    return _filled(fields, execution, outputs, None).fields


def _filled(
    fields: Mapping[str, Any],
    execution: Execution,
    outputs: Callable[[set[str]], Mapping[str, Any]],
    services: Services | None,
) -> Filled:
    try:
        given = outputs(_referred_to(fields))
        size = len(json.dumps(given)) if given else 0
        budget = _Budget(_TIME + size * _TIME_PER_BYTE, _MEMORY + size * _MEMORY_PER_BYTE)
        context = {"outputs": Outputs(given), **run_names(execution)}
        if services is None:
            found = _render_all(fields, context, budget)
            return Filled(found, found)
        lookups = Lookups(services, execution)
        found = _looking_up(fields, context, lookups, budget)
        if not lookups.has_secrets:
            return Filled(found, found)
        blind = context | names_to_look_up(lookups.blind())
        return Filled(found, _render_blind(fields, blind, budget))
    except (templates.BadTemplate, TooMuch) as error:
        where = ", ".join(sorted(fields))
        raise CannotRender(f"{where}: {{{{ … }}}} cannot be filled in: {error}") from None


@dataclass(frozen=True)
class _Budget:
    seconds: float
    more_bytes: int

    def kept(self) -> AbstractContextManager[None]:
        return limited(seconds=self.seconds, more_bytes=self.more_bytes)


def _looking_up(
    fields: Mapping[str, Any], context: Mapping[str, Any], lookups: Lookups, budget: _Budget
) -> dict[str, Any]:
    names = {**context, **names_to_look_up(lookups)}
    for _ in range(MAX_SECRETS + 1):
        try:
            return _render_all(fields, names, budget)
        except Needed as needed:
            lookups.look_up(needed)
    raise CannotRender(f"templates may use at most {MAX_SECRETS} connections and variables")


def _render_all(
    fields: Mapping[str, Any], context: Mapping[str, Any], budget: _Budget
) -> dict[str, Any]:
    with budget.kept():
        return {name: _render(value, name, context) for name, value in fields.items()}


def _render_blind(
    fields: Mapping[str, Any], context: Mapping[str, Any], budget: _Budget
) -> dict[str, Any]:
    """The same where masks may not do: what cannot be filled in with them is one itself."""

    def text(template: str, path: str, context: Mapping[str, Any]) -> Any:
        try:
            return _render_text(template, path, context)
        except (CannotRender, Needed):
            return MASK

    try:
        with budget.kept():
            return {name: _render(value, name, context, text) for name, value in fields.items()}
    except TooMuch:
        return dict.fromkeys(fields, MASK)


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


def _render(
    value: Any, path: str, context: Mapping[str, Any], render_text: _RenderText = _render_text
) -> Any:
    if isinstance(value, str) and templates.is_template(value):
        return render_text(value, path, context)
    if isinstance(value, dict):
        return {
            key: _render(inner, f"{path}.{key}", context, render_text)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [
            _render(inner, f"{path}[{i}]", context, render_text) for i, inner in enumerate(value)
        ]
    return value


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
        return ENVIRONMENT.from_string(text), False
    return ENVIRONMENT.compile_expression(expression, undefined_to_none=False), True


def _only_expression(text: str) -> str | None:
    """The inside of `{{ … }}` where that is the whole text."""
    stripped = text.strip()
    if not (stripped.startswith("{{") and stripped.endswith("}}")):
        return None
    body = ENVIRONMENT.parse(stripped).body
    is_single = (
        len(body) == 1
        and isinstance(body[0], nodes.Output)
        and len(body[0].nodes) == 1
        and not isinstance(body[0].nodes[0], nodes.TemplateData | nodes.Tuple)
    )
    # A sign right beside the braces is Jinja's, for blanks; any other is the expression's.
    return re.sub(r"^\{\{[-+]?|[-+]?\}\}$", "", stripped).strip() if is_single else None
