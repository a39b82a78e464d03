"""A DAG's parameters: what they may ask for, and what a run is given."""

from __future__ import annotations

import time
from typing import Any

import pytest

from dags_app.domain.params import BadConf, declared, resolve, schema_problems, without_default
from skytrail.documents import MAX_DEPTH

DAY: dict[str, Any] = {
    "day": {"type": "string", "default": "monday"},
    "n": {"type": "integer", "minimum": 1},
}


def problems(params: dict[str, Any], conf: Any) -> list[tuple[str, str]]:
    with pytest.raises(BadConf) as caught:
        resolve(params, conf)
    assert all(problem.message for problem in caught.value.problems)
    return [(problem.path, problem.code) for problem in caught.value.problems]


def flaws(schema: Any) -> list[tuple[str, str]]:
    return [(problem.path, problem.message) for problem in schema_problems({"p": schema})]


# ---------------------------------------------------------------- what a run gets


def test_defaults_complete_what_is_given() -> None:
    assert resolve(DAY, {"n": 3}) == {"day": "monday", "n": 3}
    assert resolve(DAY, {"n": 3, "day": "friday"}) == {"day": "friday", "n": 3}


def test_a_dag_without_parameters_takes_anything() -> None:
    assert resolve({}, {"x": [1]}) == {"x": [1]}


def test_a_default_of_null_is_a_default() -> None:
    assert resolve(declared({"p": None}), {}) == {"p": None}


@pytest.mark.parametrize("conf", [None, [], "x", 5])
def test_conf_is_an_object(conf: Any) -> None:
    assert problems(DAY, conf) == [("conf", "not_an_object")]


def test_every_problem_is_listed_with_its_path() -> None:
    params = {
        "day": {"enum": ["monday"]},
        "n": {"type": "integer"},
        "list": {"items": {"type": "object", "required": ["id"]}},
        "a.b": {"type": "null"},
        "gone": {},
    }
    conf = {"day": "sunday", "n": "3", "list": [{}, {"id": 1}, 5], "a.b": 1, "dya": 1}
    assert problems(params, conf) == [
        ("conf.day", "not_enum"),
        ("conf.dya", "unknown_param"),
        ("conf.gone", "missing"),
        ("conf.list[0]", "not_required"),
        ("conf.list[2]", "not_type"),
        ("conf.n", "not_type"),
        ('conf["a.b"]', "not_type"),
    ]


def test_messages_say_what_to_do() -> None:
    with pytest.raises(BadConf) as caught:
        resolve(DAY, {"dya": "x", "n": 0})
    said = [problem.message for problem in caught.value.problems]
    assert said == [
        "the DAG has no such parameter; did you mean 'day'?",
        "0 is less than the minimum of 1; change this value",
    ]


def test_names_that_nobody_can_read_in_full_are_cut() -> None:
    with pytest.raises(BadConf) as caught:
        resolve({"p": {"type": "integer"}}, {"p": "x" * 60_000, **{f"k{i}": 1 for i in range(999)}})
    assert len(caught.value.problems) == 101
    assert all(len(problem.message) < 400 for problem in caught.value.problems)
    assert caught.value.problems[-1].message.startswith("and 900 more")


@pytest.mark.parametrize(
    ("items", "unique"),
    [
        ([], True),
        ([1, 2], True),
        ([1, 1.0], False),
        ([1, True], True),
        ([0, False], True),
        ([{"a": 1, "b": 2}, {"b": 2, "a": 1.0}], False),
        ([[1], [1]], False),
        (["1", 1], True),
        ([None, None], False),
        ("aa", True),
    ],
)
def test_unique_items_are_told_apart_as_in_json(items: Any, unique: bool) -> None:
    params = {"p": {"uniqueItems": True}}
    if unique:
        assert resolve(params, {"p": items}) == {"p": items}
    else:
        assert problems(params, {"p": items}) == [("conf.p", "not_uniqueItems")]


# ---------------------------------------------------------------- which schemas are taken


def test_a_plain_value_is_a_default() -> None:
    assert declared({"p": 1, "q": [1], "r": {}, "s": None}) == {
        "p": {"default": 1},
        "q": {"default": [1]},
        "r": {},
        "s": {"default": None},
    }
    assert without_default({"p": 1, "q": {}, "r": {"default": None}, "s": {"type": "null"}}) == [
        "q",
        "s",
    ]


@pytest.mark.parametrize(
    "schema",
    [
        5,
        {},
        {"type": ["string", "null"], "default": None, "title": "T", "format": "date"},
        {"properties": {"pattern": {"type": "string"}, "$ref": {}, "default": {"type": "null"}}},
        {"enum": [{"$ref": "elsewhere", "pattern": "("}]},
        {"$defs": {"day": {"enum": ["mon"]}}, "items": {"$ref": "#/$defs/day"}, "default": ["mon"]},
        {"$defs": {"a/b~c": True}, "$ref": "#/$defs/a~1b~0c"},
        {"prefixItems": [{"type": "null"}], "items": {"$ref": "#/prefixItems/0"}},
        {"if": {"type": "string"}, "then": {"minLength": 1}, "else": {"type": "integer"}},
    ],
)
def test_ordinary_schemas_are_taken(schema: Any) -> None:
    assert flaws(schema) == []


@pytest.mark.parametrize(
    ("schema", "path", "words"),
    [
        ({"type": "strin"}, "params.p.type", "no JSON Schema"),
        ({"minimum": "1"}, "params.p.minimum", "not of type 'number'; correct it"),
        ({"pattern": "("}, "params.p.pattern", "correct it"),
        ({"pattern": "x" * 201}, "params.p.pattern", "shorten it"),
        ({"patternProperties": {"x" * 201: {}}}, None, "shorten it"),
        ({"items": {"$ref": "#/$defs/x"}}, "params.p.items.$ref", "like #/$defs/name"),
        ({"$ref": "https://example.org/x.json"}, "params.p.$ref", "leads nowhere"),
        ({"$ref": "#name"}, "params.p.$ref", "leads nowhere"),
        ({"$ref": "#"}, "params.p", "lead back to themselves"),
        ({"$id": "https://example.org/"}, "params.p.$id", "remove $id"),
        ({"unevaluatedProperties": False}, "params.p.unevaluatedProperties", "use additional"),
        ({"default": 1, "type": "string"}, "params.p.default", "change the default"),
        (
            {"$defs": {"n": {"properties": {"next": {"$ref": "#/$defs/n"}}}}, "$ref": "#/$defs/n"},
            "params.p",
            "lead back to themselves",
        ),
    ],
)
def test_a_schema_that_cannot_be_used_says_where_and_why(
    schema: Any, path: str | None, words: str
) -> None:
    ((found, message),) = flaws(schema)
    assert path is None or found == path
    assert words in message


def test_references_that_double_at_each_step_are_refused_at_once() -> None:
    steps: dict[str, Any] = {"s0": {"type": "string"}}
    for i in range(1, 60):
        steps[f"s{i}"] = {"allOf": [{"$ref": f"#/$defs/s{i - 1}"}] * 2}
    schema = {"$defs": steps, "$ref": "#/$defs/s59", "default": "x"}
    started = time.process_time()
    ((_, message),) = flaws(schema)
    assert "make it simpler" in message
    assert time.process_time() - started < 1


def test_a_schema_as_deep_as_documents_may_be_is_no_crash() -> None:
    schema: dict[str, Any] = {}
    for _ in range(MAX_DEPTH - 3):
        schema = {"items": schema}
    assert all("nested too deeply" in message for _, message in flaws({**schema, "default": 1}))
