"""What a template such as `{{ outputs.fetch.rows }}` refers to, without rendering it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

_READER: Environment = ImmutableSandboxedEnvironment()  # only parses: nothing is rendered here


@dataclass(frozen=True, slots=True)
class References:
    """The names after `outputs.` and `params.` in a template."""

    outputs: frozenset[str] = frozenset()
    params: frozenset[str] = frozenset()

    def __or__(self, other: References) -> References:
        return References(self.outputs | other.outputs, self.params | other.params)


class BadTemplate(ValueError):
    """The text between the braces is no expression."""


def is_template(text: str) -> bool:
    """Whether there is anything to render in `text`."""
    return "{{" in text or "{%" in text


def references(text: str) -> References:
    """What `text` refers to. Raises `BadTemplate` where it is not a template."""
    if not is_template(text):
        return References()
    try:
        tree = _READER.parse(text)
    except TemplateSyntaxError as error:
        raise BadTemplate(error.message or "syntax error") from None
    found: dict[str, set[str]] = {"outputs": set(), "params": set()}
    for attribute in tree.find_all(nodes.Getattr):
        if isinstance(attribute.node, nodes.Name) and attribute.node.name in found:
            found[attribute.node.name].add(attribute.attr)
    for item in tree.find_all(nodes.Getitem):
        # A computed key cannot be known before the template is filled in.
        key = item.arg.value if isinstance(item.arg, nodes.Const) else None
        if isinstance(item.node, nodes.Name) and item.node.name in found and isinstance(key, str):
            found[item.node.name].add(key)
    return References(frozenset(found["outputs"]), frozenset(found["params"]))


def texts_in(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every string inside a parameter's value, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from texts_in(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from texts_in(inner, f"{path}[{index}]")
