"""What a template such as `{{ outputs.fetch.rows }}` refers to, without rendering it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from dags_app.domain.problems import suggestion
from skytrail.documents import step

#: Names that stand for something in a template (`workers/rendering` fills them in), and those that
#: people who come from Airflow will try.
NAMES = frozenset(
    {
        *("outputs", "params", "dag_id", "run_id", "task_id", "map", "map_index", "try_number"),
        *("logical_date", "data_interval_start", "data_interval_end"),
        *("ds", "ds_nodash", "ts", "ts_nodash", "ts_nodash_with_tz"),
        *("conf", "dag_run", "ti", "task_instance", "var", "macros", "conn"),
        "triggering_asset_events",
    }
)

#: Filters beside Jinja's own; `workers/template_names` has what they do.
FILTERS = frozenset(
    {"ds", "ds_nodash", "ts", "ts_nodash", "ts_nodash_with_tz", "tojson", "fromjson"}
)

_READER: Environment = ImmutableSandboxedEnvironment()  # only parses: nothing is rendered here
_READER.filters |= dict.fromkeys(FILTERS, str)

# The tables whose keys are known before a run, and what may be called on a table.
_TABLES = ("outputs", "params")
_METHODS = frozenset({"get", "items", "keys", "values"})


# The commonest template by far, `{{ outputs.fetch.rows }}`, which needs no parser.
_PLAIN = re.compile(
    r"(?<!\{)\{\{ *(outputs|params)\.([A-Za-z_]\w*)(?:\.[A-Za-z_]\w*)* *\}\}(?!\})", re.ASCII
)
_MARKS = ("{{", "{%", "{#")


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
    found: dict[str, set[str]] = {table: set() for table in _TABLES}
    # Only where there is nothing else: a comment, or `{% raw %}`, would change what this means.
    rest = _PLAIN.sub("", text)
    is_plain = not any(mark in rest for mark in _MARKS)
    for table, key in _PLAIN.findall(text) if is_plain else _keys(_parsed(text)):
        found[table].add(key)
    return References(frozenset(found["outputs"]), frozenset(found["params"]))


def unknown_names(text: str) -> set[str]:
    """Names that stand for nothing, like `parms` in `{{ parms.day }}`. Raises `BadTemplate`."""
    if not any(mark in _PLAIN.sub("", text) for mark in _MARKS):
        return set()
    tree = _parsed(text)
    try:
        names = meta.find_undeclared_variables(tree)
    except TemplateSyntaxError as error:  # what parsing lets pass, like a block defined twice
        raise BadTemplate((error.message or "syntax error").rstrip(".")) from None
    return names - NAMES - _READER.globals.keys()


def parts_of_outputs(text: str) -> set[tuple[str, str]]:
    """Each task and part of its output that `text` names: of `{{ outputs.fetch.rows }}` the pair
    `fetch`, `rows`. Computed keys are not among them. Raises `BadTemplate`.
    """
    if not is_template(text):
        return set()
    found = set()
    tree = _parsed(text)
    called = {id(call.node) for call in tree.find_all(nodes.Call)}
    steps: list[nodes.Getattr | nodes.Getitem] = [
        *tree.find_all(nodes.Getattr),
        *tree.find_all(nodes.Getitem),
    ]
    for part in steps:
        task = _step_into(part.node)
        if id(part) not in called and task is not None and _is_outputs(part.node):
            name = _step_into(part)
            if name is not None:
                found.add((task, name))
    return found


def _is_outputs(node: nodes.Node) -> bool:
    table = node.node if isinstance(node, nodes.Getattr | nodes.Getitem) else None
    return isinstance(table, nodes.Name) and table.name == "outputs"


def _step_into(node: nodes.Node) -> str | None:
    """The key of `table.key` or `table["key"]`; None of anything else."""
    if isinstance(node, nodes.Getattr):
        return node.attr
    return _constant(node.arg) if isinstance(node, nodes.Getitem) else None


def _parsed(text: str) -> nodes.Template:
    try:
        tree = _READER.parse(text)
    except TemplateSyntaxError as error:
        raise BadTemplate((error.message or "syntax error").rstrip(".")) from None
    except RecursionError:
        raise BadTemplate("its brackets are nested too deeply") from None
    for used in tree.find_all((nodes.Filter, nodes.Test)):
        kind = type(used).__name__.lower()
        known = _READER.filters if kind == "filter" else _READER.tests
        if used.name not in known:
            raise BadTemplate(f"there is no {kind} {used.name!r}{suggestion(used.name, known)}")
    return tree


def _keys(tree: nodes.Template) -> Iterator[tuple[str, str]]:
    """Each table and key that the template names: `outputs.a`, `outputs["a"]`, `outputs.get("a")`.

    A computed key cannot be known before the template is filled in.
    """
    called = set()
    for call in tree.find_all(nodes.Call):
        method = call.node
        if isinstance(method, nodes.Getattr) and method.attr in _METHODS and _is_table(method.node):
            called.add(id(method))
            if method.attr == "get" and call.args and (key := _constant(call.args[0])) is not None:
                yield _name(method.node), key
    for attribute in tree.find_all(nodes.Getattr):
        if _is_table(attribute.node) and id(attribute) not in called:
            yield _name(attribute.node), attribute.attr
    for item in tree.find_all(nodes.Getitem):
        if _is_table(item.node) and (key := _constant(item.arg)) is not None:
            yield _name(item.node), key


def _is_table(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name in _TABLES


def _name(node: nodes.Node) -> str:
    assert isinstance(node, nodes.Name)
    return node.name


def _constant(node: nodes.Node) -> str | None:
    is_text = isinstance(node, nodes.Const) and isinstance(node.value, str)
    return node.value if is_text else None  # type: ignore[attr-defined]  # it is a Const


def texts_in(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every string inside a parameter's value, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from texts_in(inner, step(path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from texts_in(inner, step(path, index))
