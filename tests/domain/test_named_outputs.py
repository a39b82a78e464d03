from __future__ import annotations

from typing import Any

import pytest

from dags_app.domain import templates
from dags_app.domain.parse import BadDefinition, parse
from runs_app.domain.named_outputs import MAX_NAMED, keepable_by_name
from runs_app.domain.outcomes import MAX_OUTPUT_BYTES, Unkeepable


def test_each_is_kept_by_itself() -> None:
    large = "x" * (MAX_OUTPUT_BYTES - 2)
    assert keepable_by_name({"a": large, "b": large}, declared=[]) == {"a": large, "b": large}
    with pytest.raises(Unkeepable, match=r"'b': .*16,777,217 bytes"):
        keepable_by_name({"a": 1, "b": large + "x"}, declared=[])


@pytest.mark.parametrize(
    ("value", "declared", "words"),
    [
        ([1], [], "returns a list; return a dict"),
        (None, ["a"], "returns a NoneType"),
        ({1: 2}, [], "1 cannot name an output"),
        ({"": 2}, [], "'' cannot name an output"),
        ({"return_value": 2}, [], "give this output another"),
        ({"a": {1, 2}}, [], "'a': .*a set is not JSON"),
        ({str(n): n for n in range(MAX_NAMED + 1)}, [], "at most 250"),
        ({"rows": 1}, ["place", "rows"], "returns none named place; return null"),
        ({"rows": 1, "plaec": 2, "place": 3}, ["place", "rows"], "did you mean 'place'"),
    ],
)
def test_what_is_not_kept_says_why(value: Any, declared: list[str], words: str) -> None:
    with pytest.raises(Unkeepable, match=words):
        keepable_by_name(value, declared=declared)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("{{ outputs.fetch.rows }}", {("fetch", "rows")}),
        ('{{ outputs["fetch"]["rows"] | length }}', {("fetch", "rows")}),
        ("{{ outputs.fetch.rows.first }} {{ params.a.b }}", {("fetch", "rows")}),
        ("{{ outputs.fetch }}{{ outputs.fetch[params.name] }}", set()),
        ("{{ outputs.fetch.get('rows') }}", set()),
        ("{% raw %}{{ outputs.fetch.rows }}{% endraw %}", set()),
        ("plain", set()),
    ],
)
def test_which_parts_a_template_uses(text: str, parts: set[tuple[str, str]]) -> None:
    assert templates.parts_of_outputs(text) == parts


def definition(used: str, **fields: Any) -> dict[str, Any]:
    fetch = {"id": "fetch", "type": "python", "callable": "a.b", "outputs": ["rows"], **fields}
    load = {"id": "load", "type": "python", "callable": "a.c", "depends_on": ["fetch"]}
    return {"name": "story", "tasks": [fetch, {**load, "args": [used]}]}


def test_only_what_is_declared_can_be_used() -> None:
    parse(definition("{{ outputs.fetch.rows }}"))
    parse(definition("{{ outputs.fetch[0].rowz }}", expand={"n": [1]}))
    with pytest.raises(BadDefinition) as caught:
        parse(definition("{{ outputs.fetch.rowz }}"))
    (problem,) = caught.value.problems
    assert (problem.path, problem.code) == ("tasks[1].args[0]", "unknown_output")
    assert problem.message == "'fetch' declares no output 'rowz'; did you mean 'rows'?"


@pytest.mark.parametrize("name", ["return_value", "two words", "1st", ""])
def test_names_that_outputs_cannot_have(name: str) -> None:
    with pytest.raises(BadDefinition) as caught:
        parse(definition("x", outputs=[name]))
    assert caught.value.problems[0].path.startswith("tasks[0].outputs")
