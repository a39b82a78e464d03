"""Bodies: strict JSON, of the right type, and nothing in them that nobody reads."""

from __future__ import annotations

import json

import pytest

from dags_app.models import Dag
from runs_app.models import DagRun
from tests.api.checking import CheckedClient
from tests.api.stories import problems_of, story, told

#: Text that is sent as JSON, and the code of the problem.
BROKEN = {
    b" ": "invalid_json",
    b"{": "invalid_json",
    b'{"name": "a",}': "invalid_json",
    b"{'name': 'a'}": "invalid_json",
    b'{"name": NaN}': "not_finite",
    b'{"name": "a", "name": "b"}': "repeated_key",
    b'{"name": "\\u0000"}': "unstorable_text",
    b'{"name": "\\ud800"}': "unstorable_text",
    b'{"name": "\xff"}': "not_utf8",
    b"[" * 5000 + b"]" * 5000: "too_deep",
    b"9" * 5000: "number_too_long",
    b'"text"': "not_an_object",
    b"[]": "not_an_object",
    b"null": "not_an_object",
}


@pytest.mark.parametrize("raw", BROKEN, ids=lambda raw: repr(raw[:30]))
@pytest.mark.parametrize("path", ["dags/story/runs", "dags/story/runs/first/clear"])
def test_what_is_no_strict_json_object_is_refused(
    raw: bytes, path: str, as_alice: CheckedClient
) -> None:
    told()
    answer = as_alice.generic("POST", path, raw, content_type="application/json")
    assert answer.status_code == 400
    assert BROKEN[raw] in problems_of(answer).values()
    assert DagRun.objects.count() == 1


@pytest.mark.parametrize("raw", BROKEN, ids=lambda raw: repr(raw[:30]))
def test_neither_does_a_definition_come_out_of_it(raw: bytes, as_alice: CheckedClient) -> None:
    answer = as_alice.generic("POST", "dags", raw, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["error"]["problems"]
    assert not Dag.objects.exists()


def test_the_place_of_a_syntax_error_is_told(as_alice: CheckedClient) -> None:
    answer = as_alice.generic("POST", "dags", b'{\n "name" 1}', content_type="application/json")
    (problem,) = answer.json()["error"]["problems"]
    assert "line 2, column 9" in problem["message"]


def test_a_body_over_a_megabyte_is_413(as_alice: CheckedClient) -> None:
    huge = json.dumps({"name": "a", "description": "x" * 1_100_000})
    answer = as_alice.generic("POST", "dags", huge, content_type="application/json")
    assert answer.status_code == 413
    assert "1,048,576" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_other_kinds_of_bodies_are_415_and_told_what_to_send(
    kind: str, as_alice: CheckedClient
) -> None:
    answer = as_alice.generic("POST", "dags", "name=a", content_type=kind)
    assert answer.status_code == 415
    assert "application/json" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("dags/story/runs", "config"),
        ("dags/story/runs/first/clear", "dryrun"),
        ("dags/story/runs/first/cancel", "reason"),
        ("dags/story/runs/first/tasks/extract/cancel", "force"),
        ("auth/token", "user"),
        ("pools", "size"),
    ],
)
def test_an_unknown_key_is_refused_where_it_stands(
    path: str, key: str, as_admin: CheckedClient
) -> None:
    told()
    answer = as_admin.post(path, {key: True})
    assert answer.status_code == 400
    assert problems_of(answer)[key] == "unknown_key"


def test_what_is_said_in_the_query_string_must_not_pass_for_said(as_alice: CheckedClient) -> None:
    told()
    for path in ("dags/story/runs/first/clear?dry_run=true", "dags/story/runs?conf={}"):
        answer = as_alice.post(path)
        assert answer.status_code == 400
        assert set(problems_of(answer).values()) == {"unknown_parameter"}
    assert as_alice.get("dags/story?verbose=1").status_code == 400


def test_wrong_types_are_told_by_field(as_alice: CheckedClient) -> None:
    story()
    answer = as_alice.post("dags/story/runs", {"conf": [], "run_id": "a b", "logical_date": "noon"})
    assert answer.status_code == 400
    assert problems_of(answer).keys() == {"conf", "run_id", "logical_date"}
