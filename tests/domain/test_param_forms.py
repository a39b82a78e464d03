"""A form that is made from parameters' schemas gives back what they take."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs_app.domain.param_forms import Kind, fields, kind_of, read


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "string"}, Kind.LINE),
        ({"type": "string", "maxLength": 5000}, Kind.AREA),
        ({"type": "string", "format": "date"}, Kind.DATE),
        ({"type": "string", "format": "date-time"}, Kind.MOMENT),
        ({"type": "integer"}, Kind.NUMBER),
        ({"type": ["integer", "number"]}, Kind.NUMBER),
        ({"type": "boolean"}, Kind.TICK),
        ({"enum": ["a", 1, None]}, Kind.CHOICE),
        ({"type": "array"}, Kind.JSON),
        ({"type": ["string", "null"]}, Kind.JSON),
        ({"default": 3}, Kind.NUMBER),
        ({"default": True}, Kind.TICK),
        ({"default": "x"}, Kind.LINE),
        ({}, Kind.JSON),
    ],
)
def test_each_type_has_its_field(schema: dict[str, Any], kind: Kind) -> None:
    assert kind_of(schema) is kind


@given(st.recursive(
    st.none() | st.booleans() | st.integers(-10**9, 10**9) | st.floats(-1e6, 1e6) | st.text(),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
))  # fmt: skip
def test_a_default_that_is_not_touched_comes_back(value: Any) -> None:
    params = {"p": {"default": value}}
    (field,) = fields(params, {})
    # A browser sends line ends as \r\n, and cannot send a lone \r.
    if "\r" in field.text or ("\n" in field.text and field.kind is Kind.LINE):
        return
    written = {"p": field.text} if field.text or field.kind is not Kind.TICK else {}
    values, problems = read(params, written)
    assert problems == []
    assert values.get("p", value) == value


def test_choices_keep_their_types() -> None:
    params = {"p": {"enum": ["1", 1, None]}}
    assert fields(params, {})[0].choices == ('"1"', "1", "null")
    assert read(params, {"p": "1"}) == ({"p": 1}, [])
    assert read(params, {"p": '"1"'}) == ({"p": "1"}, [])


def test_what_cannot_be_read_is_said_at_its_field() -> None:
    params = {"n": {"type": "integer"}, "list": {"type": "array"}}
    values, problems = read(params, {"n": "many", "list": "[1,"})
    assert values == {}
    assert [problem.path for problem in problems] == ["conf.n", "conf.list"]


def test_what_is_left_empty_is_left_out() -> None:
    params: dict[str, Any] = {"n": {"type": "integer"}, "text": {"type": "string"}}
    assert read(params, {"n": " ", "text": ""}) == ({"text": ""}, [])


def test_a_link_may_fill_the_form_in() -> None:
    (field,) = fields({"n": {"type": "integer", "default": 1, "minimum": 0}}, {"n": 7})
    assert (field.text, field.least, field.step, field.is_required) == ("7", "0", "1", False)
