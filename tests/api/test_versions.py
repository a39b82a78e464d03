"""Versions over REST: what differs, going back, and versions whose time is to come."""

from __future__ import annotations

import pytest

from tests.api.checking import CheckedClient
from tests.api.stories import problems_of
from tests.factories import document, save_dag

pytestmark = pytest.mark.usefixtures("committing")

FUTURE = "2126-01-01T00:00:00Z"


@pytest.fixture(autouse=True)
def _story(committing: None) -> None:
    save_dag({"a": []})


def test_what_differs_is_told_by_tasks_edges_and_fields(as_alice: CheckedClient) -> None:
    as_alice.put("dags/story", document({"a": [], "b": ["a"]}, owner="alice"))
    found = as_alice.get("dags/story/versions/1/diff/2").json()
    assert not found["is_same"]
    assert found["added_tasks"] == ["b"]
    assert found["added_edges"] == [["a", "b"]]
    assert found["changed_fields"] == [{"path": "owner", "before": None, "after": "alice"}]
    assert "+ a → b" in found["text"]
    assert as_alice.get("dags/story/versions/2/diff/2").json()["is_same"]
    assert as_alice.get("dags/story/versions/1/diff/9").status_code == 404


def test_rolling_back_makes_a_version_of_its_own(as_alice: CheckedClient) -> None:
    as_alice.put("dags/story", document({"b": []}))
    back = as_alice.post("dags/story/versions/1/rollback")
    assert back.status_code == 200
    assert back.json()["version"] == 3
    newest = as_alice.get("dags/story/versions").json()["results"][0]
    assert (newest["author"], newest["note"]) == ("user:alice", "rolls back to version 1")


def test_a_version_for_later_changes_nothing_yet(as_alice: CheckedClient) -> None:
    saved = as_alice.put(f"dags/story?effective_from={FUTURE}", document({"b": []}))
    assert saved.status_code == 200
    assert saved.json()["version"] == 1
    assert saved.json()["next_version_at"] == FUTURE
    assert as_alice.delete("dags/story/versions/2").status_code == 204
    assert as_alice.get("dags/story").json()["next_version_at"] is None
    assert as_alice.delete("dags/story/versions/1").status_code == 409


def test_a_time_that_has_passed_is_refused(as_alice: CheckedClient) -> None:
    answer = as_alice.put("dags/story?effective_from=2020-01-01T00:00:00Z", document({"b": []}))
    assert answer.status_code == 400
    assert problems_of(answer) == {"effective_from": "not_to_come"}


def test_a_run_uses_the_version_that_is_named(as_alice: CheckedClient) -> None:
    as_alice.put("dags/story", document({"b": []}))
    assert as_alice.post("dags/story/runs", {"version": 1}).json()["version"] == 1
    assert as_alice.post("dags/story/runs", {}).json()["version"] == 2
    assert as_alice.post("dags/story/runs", {"version": 9}).status_code == 404
