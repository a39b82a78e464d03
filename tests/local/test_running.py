"""A run in one process: what happens to its tasks, with the real executors."""

from __future__ import annotations

import time

import pytest

from dags_app.domain.commands import ApprovalCommand
from runs_app.domain.outcomes import Outcome
from runs_app.domain.states import TaskState
from tests.local.trials import FACTS, Notes, bash, log_of, spec_of, states, tried
from workers.local.ledger import LocalTask
from workers.local.runner import NoSuchInstance
from workers.local.trying import Trial, approving, prepared

CHORES = "tests.workers.chores"


def test_tasks_run_in_the_order_of_the_graph_and_hand_on_what_they_left() -> None:
    ledger = tried(
        bash("last", 'echo "got $N"', "first", env={"N": "{{ outputs.first.rows }}"}),
        bash("first", "echo rows=12 > $SKYTRAIL_OUTPUT"),
    )
    assert states(ledger) == {"first": "success", "last": "success"}
    assert log_of(ledger, "last") == "got 12\n"
    assert ledger.state == "success"


def test_a_failure_stops_what_depends_on_it_and_fails_the_run() -> None:
    ledger = tried(bash("a", "exit 3"), bash("b", "true", "a"), bash("c", "true"))
    assert states(ledger) == {"a": "failed", "c": "success", "b": "upstream_failed"}
    assert ledger.state == "failed"
    assert ledger.tasks[0].tries[0].exit_code == 3


def test_python_runs_in_this_very_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "ctime", lambda: "just now")
    ledger = tried({"id": "a", "type": "python", "callable": "time.ctime"})
    assert ledger.outputs(["a"]) == {"a": "just now"}


def test_a_failed_try_is_followed_by_another_without_waiting_for_long() -> None:
    notes = Notes()
    began = time.monotonic()
    ledger = tried(
        bash("a", '[ "$SKYTRAIL_ATTEMPT" = 2 ]', retries=3, retry_delay_seconds=300), notes=notes
    )
    assert time.monotonic() - began < 60
    assert notes.moves == [
        "a queued",
        "a running",
        "a up_for_retry",
        "a queued",
        "a running",
        "a success",
    ]
    assert [each.number for each in ledger.tasks[0].tries] == [1, 2]


def test_a_task_that_takes_too_long_is_stopped() -> None:
    ledger = tried(
        bash("a", "sleep 60", timeout_seconds=0.2),
        {
            "id": "b",
            "type": "python",
            "callable": "time.sleep",
            "args": [60],
            "timeout_seconds": 0.2,
        },
    )
    assert states(ledger) == {"a": "failed", "b": "failed"}
    assert [task.tries[0].reason for task in ledger.in_order()] == ["timeout", "timeout"]


def test_a_run_whose_time_is_up_is_stopped_and_has_failed() -> None:
    ledger = tried(bash("a", "sleep 60"), bash("b", "true", "a"), run_timeout_seconds=0.3)
    assert states(ledger) == {"a": "cancelled", "b": "cancelled"}
    assert ledger.state == "failed"


def test_what_is_left_out_of_a_wait_counts_as_passed() -> None:
    ledger = tried(
        bash("a", "exit 1", retries=5, retry_delay_seconds=300), run_timeout_seconds=1000
    )
    assert states(ledger) == {"a": "cancelled"}
    assert [each.number for each in ledger.tasks[0].tries] == [1, 2, 3, 4]


def test_a_run_that_is_told_to_stop_stops_what_is_under_way() -> None:
    def stop(task: LocalTask) -> None:
        if (task.name, task.state) == ("a", "running"):
            run.stop()

    notes = Notes(on_move=stop)
    with prepared(
        spec_of(bash("a", "sleep 60"), bash("b", "true", "a")), FACTS, Trial(), observer=notes
    ) as run:
        assert run.to_the_end() == "cancelled"
    assert states(run.ledger) == {"a": "cancelled", "b": "cancelled"}


def test_a_mapped_task_becomes_many_whose_outputs_are_collected_in_order() -> None:
    ledger = tried(
        bash("list", "echo '[1, 2, 3]' > $SKYTRAIL_OUTPUT"),
        bash(
            "twice",
            "echo $((2 * SKYTRAIL_MAP_N)) > $SKYTRAIL_OUTPUT",
            "list",
            expand={"n": "{{ outputs.list }}"},
        ),
        bash("sum", "echo $ALL", "twice", env={"ALL": "{{ outputs.twice | sum }}"}),
    )
    assert list(states(ledger)) == ["list", "twice", "twice[0]", "twice[1]", "twice[2]", "sum"]
    assert log_of(ledger, "sum") == "12\n"


def test_a_failing_run_that_fails_fast_begins_nothing_more() -> None:
    ledger = tried(
        bash("a", "exit 1", priority=1), bash("b", "true"), bash("c", "true"), fail_fast=True
    )
    assert states(ledger)["a"] == "failed"
    assert set(states(ledger).values()) == {"failed", "cancelled"}


def test_what_was_set_up_is_put_away_even_if_a_run_fails_fast() -> None:
    ledger = tried(
        bash("make", "true", setup=True),
        bash("use", "exit 1", "make", priority=1),
        bash("also", "true", "make"),
        bash("remove", "true", "make", "use", "also", teardown=True),
        bash("report", "true", "remove"),
        fail_fast=True,
    )
    assert states(ledger) == {
        "make": "success",
        "use": "failed",
        "also": "cancelled",
        "remove": "success",
        "report": "skipped",
    }
    assert ledger.state == "failed"


def test_a_higher_priority_goes_first() -> None:
    notes = Notes()
    tried(bash("low", "true"), bash("high", "true", priority=5), notes=notes)
    assert notes.moves.index("high running") < notes.moves.index("low running")


def test_tasks_can_be_given_an_outcome_instead_of_being_run() -> None:
    def given(task: LocalTask) -> Outcome | None:
        return Outcome.success({"rows": 7}) if task.spec.id == "fetch" else None

    ledger = tried(
        bash("fetch", "exit 1"),
        bash("count", "echo $N", "fetch", env={"N": "{{ outputs.fetch.rows }}"}),
        trial=Trial(given=given),
    )
    assert log_of(ledger, "count") == "7\n"


APPROVAL = {"id": "ask", "type": "approval", "subject": "May {{ dag_id }} go on?"}


def test_an_approval_is_given_by_whoever_tries_the_dag() -> None:
    asked: list[str] = []

    def answer(command: ApprovalCommand) -> str:
        asked.append(command.subject)
        return "Reject"

    assert states(tried(APPROVAL, trial=Trial(ask=answer))) == {"ask": "failed"}
    assert asked == ["May story go on?"]
    assert states(tried(APPROVAL, trial=Trial(ask=approving))) == {"ask": "success"}


def test_where_nobody_can_be_asked_an_approval_fails_and_says_so() -> None:
    ledger = tried(APPROVAL)
    assert "nobody can be asked" in ledger.tasks[0].tries[0].message


def test_other_dags_are_left_alone() -> None:
    ledger = tried(
        {"id": "go", "type": "trigger_dag", "dag_id": "other", "conf": {"day": "{{ run_id }}"}},
        {"id": "wait", "type": "external_sensor", "dag_id": "another"},
    )
    assert set(states(ledger).values()) == {"success"}
    assert "would trigger other with conf {'day': 'test__1'}" in log_of(ledger, "go")
    assert "would wait for another" in log_of(ledger, "wait")


def test_sensors_look_as_often_as_they_would_without_the_waiting() -> None:
    ledger = tried(
        {
            "id": "wait",
            "type": "file_sensor",
            "path": "/no/such/file",
            "poke_interval_seconds": 60,
            "wait_timeout_seconds": 200,
            "soft_fail": True,
        }
    )
    assert states(ledger) == {"wait": "skipped"}
    assert len(ledger.tasks[0].tries) == 5, "at 0, 60, 120, 180 and 200 s"


def test_a_time_that_is_waited_for_comes_at_once() -> None:
    began = time.monotonic()
    ledger = tried({"id": "wait", "type": "time_sensor", "until": "2026-02-01T00:00:00+00:00"})
    assert states(ledger) == {"wait": "success"}
    assert time.monotonic() - began < 60


# ------------------------------------------------------------------- one task alone


def test_one_task_runs_by_itself_with_the_outputs_it_is_given() -> None:
    spec = spec_of(
        bash("fetch", "exit 1"), bash("show", "echo $N", "fetch", env={"N": "{{ outputs.fetch }}"})
    )
    with prepared(spec, FACTS, Trial(outputs={"fetch": 5}), observer=Notes()) as run:
        assert run.one("show") == "success"
    assert states(run.ledger) == {"fetch": "waiting", "show": "success"}
    assert log_of(run.ledger, "show") == "5\n"


def test_one_instance_of_a_mapped_task_runs_by_itself() -> None:
    spec = spec_of(bash("each", "echo $SKYTRAIL_MAP_N", expand={"n": ["x", "y"]}))
    with prepared(spec, FACTS, Trial(), observer=Notes()) as run:
        run.one("each", map_index=1)
    assert states(run.ledger)["each[0]"] == TaskState.WAITING
    assert log_of(run.ledger, "each[1]") == "y\n"
    with prepared(spec, FACTS, Trial(), observer=Notes()) as run, pytest.raises(NoSuchInstance):
        run.one("each", map_index=2)
