"""YAML as Skytrail reads it: the core schema of YAML 1.2, bounded, and nothing that hides."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dags_app.domain.parse import BadDefinition, parse
from skytrail.documents import MAX_DEPTH, BadDocument, DocumentTooLarge, path, read_yaml
from skytrail.documents.paths import parts_of


def refused(text: str) -> list[tuple[str, str, str]]:
    with pytest.raises(BadDocument) as caught:
        read_yaml(text)
    return [(problem.path, problem.code, problem.message) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("Off", "Off"),
        ("y", "y"),
        ("22:30", "22:30"),
        ("1_000", "1_000"),
        ("2026-01-31", "2026-01-31"),
        ("2026-01-31T09:00:00Z", "2026-01-31T09:00:00Z"),
        ("0b11", "0b11"),
        ("=", "="),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("-7", -7),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("'true'", "true"),
        ('"12"', "12"),
        ("1" * 5000, "1" * 5000),
    ],
)
def test_a_word_means_what_the_core_schema_says(word: str, meaning: object) -> None:
    found = read_yaml(f"a: {word}").value["a"]
    assert (found, type(found)) == (meaning, type(meaning))


def test_text_over_several_lines() -> None:
    text = "command: |\n  set -e\n  make\nfolded: >-\n  one\n  line\n"
    assert read_yaml(text).value == {"command": "set -e\nmake\n", "folded": "one line"}


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ("a: &x 1\nb: *x", "anchor", "line 1, column 4"),
        ("b: *x", "alias", "line 1, column 4"),
        ("<<: {a: 1}", "merge_key", "line 1, column 1"),
        ("a: !!python/object:os.system x", "tag", "line 1, column 4"),
        ("a: !!set {x}", "tag", "line 1, column 4"),
        ("a: 1\nb: 2\na: 3", "repeated_key", "line 3, column 1"),
        ("1: a", "key_not_text", "line 1, column 1"),
        ("true: a", "key_not_text", "line 1, column 1"),
        ("[1, 2]: a", "key_not_text", "line 1, column 1"),
        ("a: 1\n---\nb: 2", "two_documents", "line 2, column 1"),
        ("a: .inf", "not_finite", "line 1, column 4"),
    ],
)
def test_what_is_refused_is_shown_with_its_line(text: str, code: str, where: str) -> None:
    (_, found, message), *_ = [one for one in refused(text) if one[1] == code] or [("", "", "")]
    assert found == code
    assert message.startswith(where)


@pytest.mark.parametrize(
    "text", ["a: [1, 2", "a: 1\n b: 2", "a:\n\t- 1", "%", "a: 'x", "{a: 1}}", "\x00", "- -\n -"]
)
def test_what_is_no_yaml_says_where(text: str) -> None:
    ((_, code, message), *_) = refused(text)
    assert code in {"invalid_yaml", "unstorable_text"}
    assert message


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "null"])
def test_an_empty_file_is_no_definition(text: str) -> None:
    assert [code for _, code, _ in refused(text)] == ["invalid_yaml"]


def test_nesting_is_bounded_before_anything_is_built() -> None:
    ((_, code, _), *_) = refused("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))
    assert code == "too_deep"
    ((_, code, _), *_) = refused("[" * 100_000)
    assert code == "too_deep"


def test_a_bomb_of_aliases_is_refused_at_once() -> None:
    levels = [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 30)]
    began = time.monotonic()
    assert "alias" in {code for _, code, _ in refused("\n".join(["l0: &l0 [x]", *levels]))}
    assert time.monotonic() - began < 5, "it is a matter of milliseconds"


def test_size_is_bounded() -> None:
    with pytest.raises(DocumentTooLarge):
        read_yaml("a: " + "x" * 2_000_000)
    assert [code for _, code, _ in refused("[" + "0," * 300_000 + "0]")] == ["too_large"]


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(10**18), 10**18)
        | st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1), inner
            )
        ),
        max_leaves=20,
    ).filter(lambda value: value is not None)
)
def test_json_is_yaml_too(value: Any) -> None:
    assert read_yaml(json.dumps(value, ensure_ascii=False)).value == value


def test_every_part_of_a_document_is_found_again() -> None:
    located = read_yaml('a:\n  - b: 1\n    "c.d": [x,\n      y]\n')
    assert located.where("a") == (2, 3)
    assert located.where("a[0].b") == (2, 8)
    assert located.where('a[0]["c.d"][1]') == (4, 7)
    assert located.where("a[0].missing") == (2, 5), "the closest thing around it"
    assert located.where("") == (1, 1)


@given(st.lists(st.integers(0, 99) | st.text(st.characters(codec="utf-8"), min_size=1)))
def test_paths_can_be_taken_apart_again(parts: list[str | int]) -> None:
    assert parts_of(path(parts)) == parts


def test_a_definition_in_yaml() -> None:
    text = """
    name: country_codes
    schedule: "@daily"
    start_date: 2026-01-31
    params: {country: no}
    tasks:
      - {id: a, type: bash, command: "echo $SKYTRAIL_PARAM_COUNTRY"}
      - {id: b, depends_on: [a]}
    """
    spec = parse(read_yaml(text).value)
    assert spec.params == {"country": {"default": "no"}}
    assert spec.start_date is not None
    with pytest.raises(BadDefinition) as caught:
        parse(read_yaml(text.replace("[a]", "[c]")).value)
    assert [problem.path for problem in caught.value.problems] == ["tasks[1].depends_on[0]"]
