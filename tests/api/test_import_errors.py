"""What is wrong with files, over REST; and what comes from files is changed there."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.api.checking import CheckedClient
from tests.factories import document, import_error, save_from_file

pytestmark = pytest.mark.django_db


def test_what_is_wrong_is_shown_with_its_place_and_its_traceback(as_alice: CheckedClient) -> None:
    error = import_error()
    (listed,) = as_alice.get("import-errors").json()["results"]
    assert listed == as_alice.get(f"import-errors/{error.pk}").json()
    assert (listed["folder"], listed["file"], listed["line"]) == ("/srv/dags", "bad.py", 3)
    assert listed["error"] == "ZeroDivisionError: division by zero"
    assert listed["traceback"].startswith("Traceback")


def test_those_of_one_folder(as_alice: CheckedClient) -> None:
    import_error()
    assert len(as_alice.get("import-errors?folder=/srv/dags").json()["results"]) == 1
    assert as_alice.get("import-errors?folder=/srv").json()["results"] == []


def test_who_sees_no_dags_sees_no_errors(as_charlie: CheckedClient) -> None:
    error = import_error()
    assert as_charlie.get("import-errors").json()["results"] == []
    other = uuid4()
    not_yours = as_charlie.get(f"import-errors/{error.pk}")
    not_there = as_charlie.get(f"import-errors/{other}")
    assert not_yours.status_code == not_there.status_code == 404
    assert str(other) in not_there.json()["error"]["message"]


def test_a_dag_says_where_it_comes_from(as_alice: CheckedClient) -> None:
    save_from_file({"a": []})
    shown = as_alice.get("dags/story").json()
    assert (shown["source"], shown["source_path"]) == ("file", "etl/story.py")
    assert (shown["source_commit"], shown["gone_at"]) == ("4f2a9c1e", None)


def test_a_dag_from_a_file_is_changed_and_deleted_nowhere_else(as_alice: CheckedClient) -> None:
    save_from_file({"a": []})
    for answer in (
        as_alice.put("dags/story", document({"b": []})),
        as_alice.put("dags/story", document({"a": []})),
        as_alice.patch("dags/story", {"description": "mine"}),
        as_alice.delete("dags/story"),
    ):
        assert answer.status_code == 409
        error = answer.json()["error"]
        assert error["code"] == "defined_by_file"
        assert "/srv/dags/etl/story.py (commit 4f2a9c1e)" in error["message"]
    assert as_alice.get("dags/story").json()["version"] == 1


def test_it_is_paused_resumed_and_triggered_all_the_same(as_alice: CheckedClient) -> None:
    save_from_file({"a": []})
    assert as_alice.patch("dags/story", {"paused": True}).json()["is_paused"]
    assert not as_alice.patch("dags/story", {"paused": False}).json()["is_paused"]
    assert as_alice.post("dags/story/runs", {}).status_code == 201
