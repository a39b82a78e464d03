"""Dead letters over REST: listed, looked at, replayed, dropped."""

from __future__ import annotations

from itertools import chain
from urllib.parse import quote

import pytest

from dags_app.actions import deletion
from runs_app.actions.cancellation import cancel_run
from runs_app.models import Transition
from tests.actions.test_cancelling import claimed
from tests.api.checking import CheckedClient
from tests.api.stories import problems_of
from tests.dead_letters import dead_letter, kill, listed
from tests.factories import save_dag, start_run, states

NOWHERE = "00000000-0000-4000-8000-000000000000"


# ---------------------------------------------------------------- looking


def test_a_letter_is_listed_with_what_its_last_execution_ended_with(as_bob: CheckedClient) -> None:
    letter = dead_letter(reason="timeout", message="it took too long", exit_code=None)
    (row,) = as_bob.get("dead-letters").json()["results"]
    assert row["id"] == str(letter.pk)
    names = ("dag_id", "run_id", "task_id", "map_index", "reason", "message", "exit_code")
    assert [row[name] for name in names] == [
        "story", "first", "extract", -1, "timeout", "it took too long", None,
    ]  # fmt: skip
    assert (row["attempt"], row["max_attempts"], row["queue"]) == (1, 1, "default")
    assert row["started_at"] <= row["failed_at"]


def test_one_is_shown_with_its_attempts_and_its_last_log_lines(as_bob: CheckedClient) -> None:
    letter = dead_letter(log="reading\n\nTraceback: [x] 🚂\n")
    shown = as_bob.get(f"dead-letters/{letter.pk}").json()
    assert shown["last_log_lines"] == ["reading", "", "Traceback: [x] 🚂"]
    (attempt,) = shown["attempts"]
    assert (attempt["attempt"], attempt["reason"], attempt["exit_code"]) == (1, "exit_code", 3)
    (listed,) = as_bob.get("dead-letters").json()["results"]
    assert shown.items() >= listed.items()


def test_pages_hold_every_letter_once_and_those_that_failed_last_first(
    as_bob: CheckedClient,
) -> None:
    run = start_run(save_dag({f"t{number}": [] for number in range(7)}))
    for number in range(7):
        kill(run, f"t{number}")
    pages, address = [], "dead-letters?limit=3"
    while address:
        page = as_bob.get(address).json()
        pages.append([row["task_id"] for row in page["results"]])
        address = page["next"]
    assert [len(page) for page in pages] == [3, 3, 1]
    assert list(chain(*pages)) == [f"t{number}" for number in reversed(range(7))]


def test_filters_say_which(as_bob: CheckedClient) -> None:
    dead_letter("one")
    other = dead_letter("other", run_id="second", reason="timeout")
    assert other.finished_at is not None
    since = quote(other.finished_at.isoformat())
    for question, expected in {
        "dag_id=one": ["one"],
        "run_id=second": ["other"],
        "task_id=load": [],
        "reason=timeout": ["other"],
        "reason=timeout&dag_id=one": [],
        "queue=default": ["other", "one"],
        f"failed_after={since}": ["other"],
        f"failed_before={since}": ["one"],
    }.items():
        rows = as_bob.get(f"dead-letters?{question}").json()["results"]
        assert [row["dag_id"] for row in rows] == expected, question


def test_what_is_not_yours_and_what_is_no_letter_answer_alike(as_charlie: CheckedClient) -> None:
    letter = dead_letter()
    waits = start_run(save_dag({"a": []}, name="other")).task_runs.get()
    for verb, end in (("GET", ""), ("POST", "/replay"), ("POST", "/drop")):
        for key in (str(letter.pk), str(waits.pk), NOWHERE):
            answer = as_charlie.generic(verb, f"dead-letters/{key}{end}")
            assert answer.status_code == 404
            assert answer.json()["error"]["code"] == "dead_letter_not_found"
            assert "replayed or dropped" in answer.json()["error"]["message"]
    assert as_charlie.get("dead-letters").json()["results"] == []


# ---------------------------------------------------------------- one


def test_one_is_replayed_once_and_a_dry_run_says_before_what_that_means(
    as_oscar: CheckedClient,
) -> None:
    letter = dead_letter()
    address = f"dead-letters/{letter.pk}/replay"
    would = as_oscar.post(address, {"dry_run": True}).json()
    assert [task["task_id"] for task in would["tasks"]] == ["extract", "load"]
    assert listed() == ["story first extract"]
    done = as_oscar.post(address).json()
    assert done == {"dry_run": False, "tasks": would["tasks"]}
    assert listed() == []
    assert as_oscar.post(address).status_code == 404
    assert Transition.objects.filter(reason="replayed", actor="user:oscar").count() == 2


def test_one_is_dropped_once_and_its_task_stays_failed(as_oscar: CheckedClient) -> None:
    letter = dead_letter()
    assert as_oscar.post(f"dead-letters/{letter.pk}/drop").status_code == 204
    assert as_oscar.post(f"dead-letters/{letter.pk}/drop").status_code == 404
    assert states(letter.run)["extract"] == "failed"
    moves = Transition.objects.filter(task_run=letter, reason="dead letter dropped")
    assert [move.actor for move in moves] == ["user:oscar"]


def test_one_whose_run_is_being_cancelled_is_a_conflict(as_oscar: CheckedClient) -> None:
    letter = dying()
    answer = as_oscar.post(f"dead-letters/{letter}/replay")
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "run_cannot_be_cleared"


def dying(name: str = "dying") -> str:
    """A dead letter whose run is being cancelled."""
    run = start_run(save_dag({"dead": [], "busy": []}, name=name), run_id="first")
    letter = kill(run, "dead")
    claimed(run, "busy")
    cancel_run(run, actor="user:alice")
    return str(letter.pk)


def test_one_of_a_deleted_dag_can_only_be_dropped(as_oscar: CheckedClient) -> None:
    letter = dead_letter()
    deletion.delete(letter.dag)
    answer = as_oscar.post(f"dead-letters/{letter.pk}/replay")
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "dag_of_dead_letter_deleted"
    assert as_oscar.post(f"dead-letters/{letter.pk}/drop").status_code == 204


# ---------------------------------------------------------------- many


@pytest.mark.parametrize("verb", ["replay", "drop"])
def test_many_need_a_filter_or_the_word_that_all_are_meant(
    verb: str, as_oscar: CheckedClient
) -> None:
    dead_letter()
    for sent, problems in (
        ({}, {"all": "which"}),
        ({"dry_run": True, "limit": 5}, {"all": "which"}),
        ({"all": True, "dag_id": "story"}, {"all": "all_or_some"}),
        ({"all": "perhaps"}, {"all": "invalid"}),
        ({"dag": "story"}, {"dag": "unknown_key"}),
        ({"dag_id": ""}, {"dag_id": "blank"}),
        ({"dag_id": None}, {"dag_id": "null"}),
        ({"failed_after": "noon"}, {"failed_after": "invalid"}),
        ({"all": True, "limit": 1001}, {"limit": "max_value"}),
        ({"all": True, "limit": 0}, {"limit": "min_value"}),
    ):
        answer = as_oscar.post(f"dead-letters/{verb}", sent)
        assert answer.status_code == 400
        assert problems_of(answer) == problems
    assert listed() == ["story first extract"]


def test_many_are_replayed_and_those_that_cannot_be_are_told_with_the_reason(
    as_oscar: CheckedClient,
) -> None:
    one, stuck = dead_letter("one"), dying()
    would = as_oscar.post("dead-letters/replay", {"all": True, "dry_run": True}).json()
    assert listed() == ["dying first dead", "one first extract"]
    done = as_oscar.post("dead-letters/replay", {"all": True}).json()
    assert done == {**would, "dry_run": False}
    (replayed,) = done["replayed"]
    assert replayed["id"] == str(one.pk)
    assert [(task["dag_id"], task["task_id"], task["state"]) for task in done["tasks"]] == [
        ("one", "extract", "failed"), ("one", "load", "upstream_failed"),
    ]  # fmt: skip
    (passed_over,) = done["passed_over"]
    assert (passed_over["id"], passed_over["code"]) == (stuck, "run_cannot_be_cleared")
    assert "being cancelled" in passed_over["message"]
    assert done["remaining"] == 0
    assert listed() == ["dying first dead"]


def test_a_filter_says_which_are_replayed(as_oscar: CheckedClient) -> None:
    dead_letter("one")
    dead_letter("two", reason="timeout")
    done = as_oscar.post("dead-letters/replay", {"reason": "timeout"}).json()
    assert [letter["dag_id"] for letter in done["replayed"]] == ["two"]
    assert listed() == ["one first extract"]


def test_more_than_the_limit_are_left_for_the_next_request(as_oscar: CheckedClient) -> None:
    for name in ("one", "two", "three"):
        dead_letter(name)
    asked = {"queue": "default", "limit": 2}
    first = as_oscar.post("dead-letters/drop", asked).json()
    assert [letter["dag_id"] for letter in first["dropped"]] == ["one", "two"]
    assert first["remaining"] == 1
    second = as_oscar.post("dead-letters/drop", asked).json()
    assert [letter["dag_id"] for letter in second["dropped"]] == ["three"]
    assert second["remaining"] == 0


def test_many_are_dropped_after_a_look_at_which(as_oscar: CheckedClient) -> None:
    dead_letter("one")
    dead_letter("two", reason="timeout")
    asked = {"reason": "timeout"}
    would = as_oscar.post("dead-letters/drop", {**asked, "dry_run": True}).json()
    assert len(listed()) == 2
    assert as_oscar.post("dead-letters/drop", asked).json() == {**would, "dry_run": False}
    assert listed() == ["one first extract"]


def test_where_there_are_none_nothing_happens(as_oscar: CheckedClient) -> None:
    for verb, key in (("replay", "replayed"), ("drop", "dropped")):
        answer = as_oscar.post(f"dead-letters/{verb}", {"all": True}).json()
        assert (answer[key], answer["remaining"]) == ([], 0)
