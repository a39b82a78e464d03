"""Tasks that have used up their tries: listed, replayed, dropped."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dags_app.actions import deletion
from runs_app.actions import logs
from runs_app.actions.cancellation import cancel_run
from runs_app.actions.dead_letters import (
    DagOfDeadLetterDeleted,
    DeadLetterGone,
    drop,
    drop_many,
    replay,
    replay_many,
)
from runs_app.actions.dispatching_steps import dispatch
from runs_app.actions.recovery import take_over_lost
from runs_app.actions.rerunning import RunCannotBeCleared, clear
from runs_app.domain.clearing import Selection
from runs_app.models import DagRun, DeadLetter, TaskRun, Transition
from runs_app.selectors.dead_letters import Filter, Letter, matching, oldest_first
from runs_app.selectors.invariants.examining import Scope, examine
from runs_app.selectors.invariants.terms import NO_TOLERANCE
from runs_app.selectors.logs import LAST_CHARACTERS, LAST_LINES, last_lines
from skytrail.security.subject import Operator
from tests.actions.test_cancelling import claimed
from tests.actions.test_recovering import let_the_lease_run_out
from tests.conveyor import Conveyor, ends, failing
from tests.dead_letters import dead_letter, kill, listed, named
from tests.factories import save_dag, start_run, states, task

pytestmark = pytest.mark.usefixtures("committing")


def told(run: DagRun) -> list[tuple[str, str, str, str]]:
    """The latest moves, of the tasks and of the run, as (what, to, why, who)."""
    moves = Transition.objects.filter(run=run).select_related("task_run").order_by("pk")
    return [
        (move.task_run.task_id if move.task_run else "run", move.to_state, move.reason, move.actor)
        for move in moves
    ]


# ---------------------------------------------------------------- the list


def test_a_task_that_has_used_up_its_tries_is_listed_and_one_that_has_not_is_not(
    conveyor: Conveyor,
) -> None:
    conveyor.script = ends(a=failing())
    retries = {"a": {"retries": 1, "retry_delay_seconds": 3600}}
    start_run(save_dag({"a": []}, tasks=retries))
    conveyor.run()
    assert listed() == []
    start_run(save_dag({"a": [], "b": ["a"]}), run_id="second")
    conveyor.run()
    assert listed() == ["story second a"], "what only follows it is no letter of its own"


def test_those_that_failed_last_come_first() -> None:
    for name in ("one", "two", "three"):
        dead_letter(name)
    assert [line.split()[0] for line in listed()] == ["three", "two", "one"]


def test_a_letter_tells_what_its_last_execution_ended_with() -> None:
    letter = dead_letter(message="no such table", reason="exception", exit_code=None)
    last = letter.last_attempt
    assert last is not None
    assert (last.reason, last.message, last.exit_code) == ("exception", "no such table", None)


def test_a_task_that_lost_its_workers_too_often_is_listed_with_that_reason() -> None:
    run = start_run(save_dag({"a": []}, tasks={"a": {"rerun_on_worker_loss": False}}))
    claimed(run, "a")
    let_the_lease_run_out()
    take_over_lost()
    (letter,) = matching(Operator(), Filter(reason="worker_lost"))
    assert letter.task_id == "a"


def test_every_filter_lets_through_what_it_names_and_nothing_else() -> None:
    one, other = dead_letter("one"), dead_letter("other", run_id="second", reason="timeout")
    queued = kill(start_run(save_dag({"x": []}, name="third", tasks={"x": {"queue": "big"}})), "x")

    def found(**wanted: object) -> set[str]:
        return {letter.dag.dag_id for letter in matching(Operator(), Filter(**wanted))}  # type: ignore[arg-type]

    assert found(dag_id="one") == {"one"}
    assert found(run_id="second") == {"other"}
    assert found(task_id="x") == {"third"}
    assert found(queue="big") == {"third"}
    assert found(reason="timeout") == {"other"}
    assert found(reason="exit_code", task_id="extract") == {"one"}
    assert found(failed_after=other.finished_at) == {"other", "third"}
    assert found(failed_before=other.finished_at) == {"one"}
    assert found() == {"one", "other", "third"}
    assert one.finished_at < other.finished_at < queued.finished_at  # type: ignore[operator]


def test_a_reason_is_that_of_the_last_execution_not_of_an_earlier_one() -> None:
    letter = dead_letter(reason="timeout")
    replay(named(letter), actor="user:alice")
    kill_again(letter, reason="exit_code")
    assert list(matching(Operator(), Filter(reason="timeout"))) == []
    assert [found.pk for found in matching(Operator(), Filter(reason="exit_code"))] == [letter.pk]


def kill_again(letter: DeadLetter, reason: str = "exit_code") -> None:
    """The task of a replayed letter comes up, and fails again."""
    dispatch(letter.run_id, actor="dispatcher")
    kill(DagRun.objects.get(pk=letter.run_id), letter.task_id, reason=reason)


def test_the_list_is_read_by_its_own_index() -> None:
    dead_letter()
    query = matching(Operator()).order_by("-finished_at", "-id")[:50]
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        try:
            plan = query.explain()
        finally:
            cursor.execute("RESET enable_seqscan")
    assert "task_run_dead" in plan
    assert "Sort" not in plan


# ---------------------------------------------------------------- replaying


def test_a_replayed_letter_runs_again_with_what_follows_and_leaves_the_list(
    conveyor: Conveyor,
) -> None:
    conveyor.script = ends(a=failing())
    run = start_run(save_dag({"a": [], "b": ["a"], "aside": []}))
    conveyor.run()
    (letter,) = oldest_first(matching(Operator()))
    conveyor.script = ends()
    conveyor.started.clear()
    tasks = replay(letter, actor="user:alice")
    assert [(row.task_id, row.state) for row in tasks] == [
        ("a", "failed"),
        ("b", "upstream_failed"),
    ]
    assert listed() == []
    conveyor.run()
    assert states(run) == {"a": "success", "b": "success", "aside": "success"}
    assert [name for name, _ in conveyor.started] == ["a", "b"]


def test_the_history_says_who_replayed() -> None:
    letter = dead_letter()
    replay(named(letter), actor="user:alice")
    assert set(told(letter.run)[-3:]) == {
        ("extract", "waiting", "replayed", "user:alice"),
        ("load", "waiting", "replayed", "user:alice"),
        ("run", "running", "tasks replayed", "user:alice"),
    }


def test_a_dry_run_says_what_would_run_again_and_changes_nothing() -> None:
    letter = dead_letter()
    before = told(letter.run)
    would = replay(named(letter), actor="user:alice", dry_run=True)
    assert told(letter.run) == before
    assert listed() == ["story first extract"]
    assert replay(named(letter), actor="user:alice") == would


def test_a_letter_that_is_gone_is_not_replayed_again() -> None:
    letter = named(dead_letter())
    replay(letter, actor="user:alice")
    with pytest.raises(DeadLetterGone, match="'extract' is no dead letter any more"):
        replay(letter, actor="user:bob")
    assert task(DagRun.objects.get(), "extract").epoch == 2


def test_a_letter_of_a_run_that_is_being_cancelled_is_not_replayed() -> None:
    letter = dying_run("story")
    with pytest.raises(RunCannotBeCleared):
        replay(letter, actor="user:alice")
    assert listed() == ["story first dead"]


def dying_run(name: str) -> Letter:
    """A dead letter whose run is being cancelled, and waits for another task's worker."""
    run = start_run(save_dag({"dead": [], "busy": []}, name=name), run_id="first")
    letter = kill(run, "dead")
    claimed(run, "busy")
    cancel_run(run, actor="user:alice")
    return named(letter)


def test_a_letter_of_a_deleted_dag_can_only_be_dropped() -> None:
    letter = dead_letter()
    deletion.delete(letter.dag)
    with pytest.raises(DagOfDeadLetterDeleted, match="can be dropped"):
        replay(named(letter), actor="user:alice")
    drop(named(letter), actor="user:alice")
    assert listed() == []


def test_many_are_replayed_run_by_run_the_oldest_first() -> None:
    graph: dict[str, list[str]] = {"a": [], "b": [], "c": ["b"]}
    first, second = (start_run(save_dag(graph, name=name)) for name in ("one", "two"))
    for run, name in ((first, "a"), (second, "b"), (first, "b")):
        kill(run, name)
    handled = list(replay_many(oldest_first(matching(Operator())), actor="user:alice"))
    assert [[letter.task_id for letter in of_run.done] for of_run in handled] == [["a", "b"], ["b"]]
    assert [[row.task_id for row in of_run.tasks] for of_run in handled] == [["a", "b"], ["b"]]
    assert listed() == []


def test_one_that_cannot_be_replayed_undoes_nothing_of_the_rest() -> None:
    dead_letter("one")
    stuck = dying_run("two")
    dead_letter("three")
    handled = list(replay_many(oldest_first(matching(Operator())), actor="user:alice"))
    done = [letter.dag_id for of_run in handled for letter in of_run.done]
    passed = [(one.letter, one.error.code) for of_run in handled for one in of_run.passed_over]
    assert done == ["one", "three"]
    assert passed == [(stuck, "run_cannot_be_cleared")]
    assert listed() == ["two first dead"]


def test_a_dry_run_of_many_says_exactly_what_then_happens() -> None:
    dead_letter("one")
    dying_run("two")
    letters = oldest_first(matching(Operator()))

    def summary(*, dry_run: bool) -> object:
        handled = replay_many(letters, actor="user:alice", dry_run=dry_run)
        return [
            (of_run.done, of_run.tasks, [one.letter for one in of_run.passed_over])
            for of_run in handled
        ]

    would = summary(dry_run=True)
    assert len(listed()) == 2
    assert summary(dry_run=False) == would


def test_a_replayed_task_gets_its_tries_again() -> None:
    letter = dead_letter()
    replay(named(letter), actor="user:alice")
    row = TaskRun.objects.get(pk=letter.pk)
    assert row.max_attempts == row.attempt + 1


# ---------------------------------------------------------------- dropping


def test_a_dropped_letter_leaves_the_list_and_its_task_stays_failed() -> None:
    letter = dead_letter()
    drop(named(letter), actor="user:alice")
    assert listed() == []
    assert states(letter.run)["extract"] == "failed"
    assert told(letter.run)[-1] == ("extract", "failed", "dead letter dropped", "user:alice")


def test_a_letter_is_dropped_once() -> None:
    letter = named(dead_letter())
    drop(letter, actor="user:alice")
    with pytest.raises(DeadLetterGone):
        drop(letter, actor="user:bob")
    assert Transition.objects.filter(reason="dead letter dropped").count() == 1


def test_what_was_dropped_and_cleared_is_listed_when_it_fails_again() -> None:
    letter = dead_letter()
    drop(named(letter), actor="user:alice")
    clear(letter.run, Selection(only_failed=True), actor="user:alice")
    assert listed() == []
    kill_again(letter)
    assert listed() == ["story first extract"]


def test_dropping_and_replaying_leave_a_history_that_holds(conveyor: Conveyor) -> None:
    for name in ("dropped", "replayed", "dropped and cleared"):
        dead_letter(name.replace(" ", "."))
    first, second, third = oldest_first(matching(Operator()))
    drop(first, actor="user:alice")
    replay(second, actor="user:alice")
    drop(third, actor="user:alice")
    clear(DagRun.objects.get(pk=third.run_pk), Selection(only_failed=True), actor="user:alice")
    conveyor.run()
    assert examine(Scope(), tolerance=NO_TOLERANCE).breaches == []


def test_many_are_dropped_and_those_that_are_gone_are_passed_over() -> None:
    for name in ("one", "two"):
        dead_letter(name)
    letters = oldest_first(matching(Operator()))
    would = list(drop_many(letters, actor="user:alice", dry_run=True))
    assert [letter for of_run in would for letter in of_run.done] == letters
    assert len(listed()) == 2
    drop(letters[0], actor="user:bob")
    gone, done = drop_many(letters, actor="user:alice")
    assert [one.error.code for one in gone.passed_over] == ["dead_letter_gone"]
    assert done.done == [letters[1]]
    assert listed() == []


def test_a_run_that_was_deleted_meanwhile_is_passed_over() -> None:
    letter = named(dead_letter())
    TaskRun.objects.all().delete()
    DagRun.objects.all().delete()
    for handle in (replay_many, drop_many):
        (handled,) = handle([letter], actor="user:alice")
        assert [one.error.code for one in handled.passed_over] == ["dead_letter_gone"]


# ---------------------------------------------------------------- the last lines


def written(*pieces: str) -> list[str]:
    """The last lines of an execution that has written these pieces."""
    execution = claimed(start_run(save_dag({"a": []})), "a")
    for sequence, text in enumerate(pieces):
        logs.append(
            task_run_id=execution.task_run_id, epoch=execution.epoch, sequence=sequence, text=text
        )
    return last_lines(execution.task_run_id, execution.epoch)


def test_a_short_log_is_shown_whole() -> None:
    assert written("one\ntw", "o\n\nthree") == ["one", "two", "", "three"]
    assert written() == []
    assert written("\n") == [""]


def test_of_many_lines_the_last_are_shown_however_they_came() -> None:
    lines = [f"line {number}" for number in range(1000)]
    assert written(*(f"{line}\n" for line in lines)) == lines[-LAST_LINES:]
    assert written("".join(f"{line}\n" for line in lines)) == lines[-LAST_LINES:]


def test_long_lines_are_cut_at_their_beginning() -> None:
    (line,) = written("x" * 20_000, "y" * 10)
    assert line == "…" + "x" * (LAST_CHARACTERS - 10) + "y" * 10
    shown = written("a" * 9_000 + "\n" + "b" * LAST_CHARACTERS)
    assert shown == ["b" * LAST_CHARACTERS], "a line that fits is not marked as cut"


def test_only_the_end_of_a_long_log_is_read() -> None:
    execution = claimed(start_run(save_dag({"a": []})), "a")
    for sequence in range(200):
        logs.append(
            task_run_id=execution.task_run_id,
            epoch=execution.epoch,
            sequence=sequence,
            text=f"{sequence} {'x' * 1000}\n",
        )
    with CaptureQueriesContext(connection) as captured:
        lines = last_lines(execution.task_run_id, execution.epoch)
    assert len(captured) == 1
    assert lines[-1].startswith("199 ")


def test_the_log_of_another_execution_is_not_shown() -> None:
    letter = dead_letter(log="first try\n")
    replay(named(letter), actor="user:alice")
    kill_again(letter)
    last = DeadLetter.objects.get().last_attempt
    assert last is not None
    assert last_lines(letter.pk, last.epoch) == []
    assert last_lines(letter.pk, 1) == ["first try"]
