"""Reading JSON that somebody sent: strict, bounded, and with an error that says where."""

from __future__ import annotations

import contextlib
import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skytrail.documents import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_FLAWS,
    BadDocument,
    DocumentTooLarge,
    oversize,
    path,
    read_json,
    unstorable,
)
from skytrail.errors import Invalid, Problem


def problems(raw: bytes | str) -> list[Problem]:
    with pytest.raises(Invalid) as caught:
        read_json(raw)
    return list(caught.value.problems)


def places(value: Any) -> list[tuple[str, str]]:
    return [(problem.path, problem.code) for problem in unstorable(value)]


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab\u05d0🚀"), inner),
)


@settings(max_examples=50)
@given(_json, st.booleans())
def test_what_json_writes_is_read(value: Any, plain_ascii: bool) -> None:
    text = json.dumps(value, ensure_ascii=plain_ascii)
    assert read_json(text) == read_json(text.encode()) == value
    assert unstorable(value) == []


@given(st.binary(max_size=30) | st.text('[]{}",:0123456789.eE+-truefalsn \\u\x00', max_size=40))
def test_anything_else_is_a_problem_and_no_crash(raw: bytes | str) -> None:
    with contextlib.suppress(Invalid):
        assert unstorable(read_json(raw)) == []


def test_a_byte_order_mark_is_passed_over() -> None:
    assert read_json(b"\xef\xbb\xbf[1]") == [1]


@pytest.mark.parametrize(
    ("raw", "path", "code", "words"),
    [
        ("", "", "invalid_json", "there is nothing in it"),
        (" \n", "", "invalid_json", "there is nothing in it"),
        ("{", "", "invalid_json", "line 1, column 2: a key in double quotes"),
        ("{'a': 1}", "", "invalid_json", "a key in double quotes"),
        ('{"a": 1,}', "", "invalid_json", "column 8: remove the comma|double quotes"),
        ("[1,]", "", "invalid_json", "comma|value is missing"),
        ('{"a" 1}', "", "invalid_json", "a colon is missing"),
        ("[1 2]", "", "invalid_json", "a comma or a closing bracket is missing"),
        ("[1]\n[2]", "", "invalid_json", "line 2, column 1: the document has ended"),
        ('["a', "", "invalid_json", "never closed"),
        ('["a\nb"]', "", "invalid_json", r"as \n"),
        (r'["\x"]', "", "invalid_json", "write a backslash"),
        (r'["\u12"]', "", "invalid_json", "four hexadecimal digits"),
        ("[undefined]", "", "invalid_json", "a value is missing here"),
        (b"\xff\xfe[\x001\x00]\x00", "", "not_utf8", "byte 0 is not UTF-8"),
        (b'{"a": "\xe9"}', "", "not_utf8", "byte 7"),
        ("[NaN]", "[0]", "not_finite", "use null"),
        ('{"a": -Infinity}', "a", "not_finite", "use null"),
        ('{"a": [1e400]}', "a[0]", "not_finite", "too large a number"),
        ("1" * 5000, "", "number_too_long", "write it as text"),
        ('{"a": ' + "1" * 4000 + "}", "a", "number_too_long", "write it as text"),
        ('{"a": 1, "b": 2, "a": 3}', "", "repeated_key", "the key 'a' is given twice"),
        ('{"x": [{"a": 1, "a": 1}]}', "x[0]", "repeated_key", "keep one of them"),
        (r'{"a": "\u0000"}', "a", "unstorable_text", "remove the NUL"),
        ('{"a": "\x00"}', "", "invalid_json", r"as \n"),
        (r'{"a\u0000": 1}', "", "unstorable_text", "in a key of this"),
        (r'{"a": ["\ud83d"]}', "a[0]", "unstorable_text", "broken Unicode"),
        ("[" * 500_000, "", "too_deep", "flatten"),
        ('{"a":' * 100_000, "", "too_deep", "flatten"),
    ],
)
def test_a_broken_document_says_where_and_what_to_do(
    raw: bytes | str, path: str, code: str, words: str
) -> None:
    (problem,) = problems(raw)
    assert (problem.path, problem.code) == (path, code)
    assert any(word in problem.message for word in words.split("|"))


def test_half_a_surrogate_in_text_is_refused_and_a_pair_is_a_character() -> None:
    assert read_json(r'"\ud83d\ude80"') == "🚀"
    (problem,) = problems('"\ud83d"')
    assert problem.code == "not_utf8"


def test_a_document_may_be_as_large_as_the_limit_and_no_larger() -> None:
    raw = b'"' + b"x" * (MAX_BYTES - 2) + b'"'
    assert len(read_json(raw)) == MAX_BYTES - 2
    with pytest.raises(DocumentTooLarge, match="1,048,576") as caught:
        read_json(raw[:-1] + b'x"')
    (problem,) = caught.value.problems
    assert problem.code == "too_large"
    with pytest.raises(DocumentTooLarge):
        read_json('"ääää"', limit=8)


def test_nesting_goes_as_deep_as_the_limit() -> None:
    for inside in ("", "1", '"x"'):
        read_json("[" * MAX_DEPTH + inside + "]" * MAX_DEPTH)
    for inside in ("[]", "{}"):
        (problem,) = problems("[" * MAX_DEPTH + inside + "]" * MAX_DEPTH)
        assert (problem.path, problem.code) == ("[0]" * MAX_DEPTH, "too_deep")


def test_every_flaw_is_found_and_not_more_than_anybody_reads() -> None:
    assert places({"a": [float("nan"), {"b": "\x00"}], "c": {1, 2}}) == [
        ("a[0]", "not_finite"),
        ("a[1].b", "unstorable_text"),
        ("c", "not_json"),
    ]
    assert len(unstorable([float("nan")] * 10_000)) == MAX_FLAWS


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (b"x", "not_json"),
        ((1, 2), "not_json"),
        (1j, "not_json"),
        ({1: 2}, "key_not_text"),
        ({None: 2}, "key_not_text"),
        (2**13_001, "number_too_long"),
    ],
)
def test_what_is_not_json_is_named(value: Any, code: str) -> None:
    assert [problem.code for problem in unstorable([value])] == [code]


def test_dates_may_stand_in_a_document_for_yaml_makes_them() -> None:
    assert unstorable({"start_date": date(2026, 1, 31)}) == []
    assert oversize({"start_date": date(2026, 1, 31)}, limit=100) is None


def test_a_list_that_holds_itself_is_no_endless_walk() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert [problem.code for problem in unstorable(loop)] == ["too_deep"]
    wide: list[Any] = []
    wide += [wide] * 10
    assert unstorable(wide)


def test_size_is_counted_in_bytes() -> None:
    assert oversize(["ä"], limit=6) is None
    problem = oversize(["ä"], limit=5)
    assert problem is not None
    assert (problem.path, problem.code) == ("", "too_large")
    assert "6 bytes; at most 5" in problem.message


@pytest.mark.parametrize(
    ("parts", "written"),
    [
        ([], ""),
        (["a"], "a"),
        (["tasks", 2, "id"], "tasks[2].id"),
        ([0, 1], "[0][1]"),
        (["env", "a.b"], 'env["a.b"]'),
        (["env", ""], 'env[""]'),
        (["a b", 'c"d', "x-y", "$ref"], '["a b"]["c\\"d"].x-y.$ref'),
        (["\ud83d"], '["\\\\ud83d"]'),
    ],
)
def test_a_place_is_written_as_people_write_it(parts: list[str | int], written: str) -> None:
    assert path(parts) == written


def test_errors_are_of_the_kinds_that_doors_know() -> None:
    assert issubclass(BadDocument, Invalid)
    assert issubclass(DocumentTooLarge, Invalid)
    assert (BadDocument.code, DocumentTooLarge.code) == ("bad_document", "document_too_large")
