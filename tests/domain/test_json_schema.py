"""The published JSON Schema: up to date, and never stricter than Skytrail itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from dags_app.domain.json_schema import json_schema, published
from dags_app.domain.parse import BadDefinition, parse
from skytrail.documents import unstorable
from tests.domain.definitions import DAILY_REPORT, bash, dag, documents, with_task
from tests.domain.test_bad_definitions import ONE_PROBLEM, http

PUBLISHED = Path(__file__).parents[2] / "docs" / "schema" / "dag.json"

SCHEMA = Draft202012Validator(json_schema())

#: What only the whole document, a calendar or another language can tell: the schema lets it pass.
BEYOND_SCHEMAS = {
    *("duplicate_id", "self_dependency", "unknown_upstream", "cycle", "not_downstream"),
    *("bad_template", "unknown_output", "output_not_upstream", "unknown_param", "pasted_value"),
    *("unknown_name", "placeholder"),
    *("cron_fields", "cron_name", "cron_out_of_range", "cron_never", "cron_preset"),
    *("timezone_unknown", "out_of_range", "ends_before_start", "needs_default"),
    *("bad_schema", "bad_default", "too_large", "header_value", "two_bodies", "branch_decision"),
    *("unstorable_text", "number_too_long"),
    *("holidays_unknown", "all_weekdays", "schedule_never", "not_one_run"),
}

#: The same of single values: the 30th of February, a range that runs backwards, and a line break at
#: the end of a name, which `$` in Python's regular expressions overlooks.
BEYOND_PATTERNS = [
    dag(start_date="2026-02-30"),
    dag(schedule={"cron": "@daily", "except": {"dates": ["2026-02-30"]}}),
    dag(name="a\n"),
    http(expected_status=["299-200"]),
]


def test_the_published_file_is_up_to_date() -> None:
    hint = "write it anew: python -m dags_app.domain.json_schema > docs/schema/dag.json"
    assert PUBLISHED.read_text(encoding="utf-8") == published(), hint


def test_it_is_a_schema_with_an_explanation_for_every_field() -> None:
    schema = json.loads(published())
    Draft202012Validator.check_schema(schema)
    assert all("description" in field for field in schema["properties"].values())


def test_the_first_document_of_every_guide_fits() -> None:
    assert SCHEMA.is_valid(DAILY_REPORT)


@settings(max_examples=50)
@given(documents())
def test_whatever_is_taken_fits_the_schema(document: dict[str, Any]) -> None:
    assert SCHEMA.is_valid(parse(document).canonical())
    assert SCHEMA.is_valid(document)


@pytest.mark.parametrize(
    "document",
    [
        dag(cron=None),
        dag(schedule="@none"),
        dag(cron={"interval_seconds": 60.0}),
        {"dag_id": "d", "tasks": [{"id": "a", "retry_count": 2.0}]},
        dag(params={"p": None, "q": [1], "r": {"type": "integer"}}),
        dag(start_date="2026-01-31 09:00Z", end_date=None),
        bash(env={"A": 1, "B": True, "C": "x", "D": 1.5}),
        bash(skip_on_exit_code=None),
        with_task(type="http", uri="{{ params.uri }}", headers={"X": 1}, json={"a": [None]}),
        with_task(timeout_seconds=None, pool=None),
        dag(
            {"id": "a", "type": "branch", "value": 5, "cases": {"5": ["b"]}, "default": []},
            {"id": "b", "depends_on": ["a"]},
        ),
        dag({"id": "a", "type": "branch", "callable": "x.y", "args": [1]}),
    ],
)
def test_short_spellings_fit_too(document: dict[str, Any]) -> None:
    assert parse(document).tasks
    assert SCHEMA.is_valid(document)


# What is no JSON at all (a set, a date) cannot be asked about.
_AS_JSON = [
    case for case in ONE_PROBLEM if not unstorable(case[0]) and "datetime(" not in repr(case[0])
]


@pytest.mark.parametrize(("document", "path", "code", "words"), _AS_JSON)
def test_what_a_schema_can_see_it_refuses(document: Any, path: str, code: str, words: str) -> None:
    with pytest.raises(BadDefinition):
        parse(document)
    passes = code in BEYOND_SCHEMAS or document in BEYOND_PATTERNS
    assert SCHEMA.is_valid(document) is passes
