"""Timers: runs that take too long, tasks that are queued for too long, tries that will not end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from runs_app.actions import attempts
from runs_app.actions.cancellation import RunIsBeingCancelled, cancel_run
from runs_app.actions.dispatching_steps import dispatch
from runs_app.actions.rerunning import RunCannotBeCleared, clear
from runs_app.actions.timing_out import TimedOut, end_overdue, time_out
from runs_app.domain.clearing import Selection
from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Outcome
from runs_app.domain.states import TaskState
from runs_app.models import Attempt, DagRun, TaskRun, Transition
from tests.actions.test_cancelling import claimed
from tests.conveyor import Conveyor
from tests.doubles import RecordingDispatcher
from tests.factories import save_dag, start_run, states, task

pytestmark = pytest.mark.usefixtures("committing")

ROW = {"a": [], "b": ["a"]}


def a_run_whose_time_is_up(**fields: object) -> DagRun:
    run = start_run(save_dag(ROW, run_timeout_seconds=60, **fields))
    assert run.times_out_at is not None
    assert run.started_at is not None
    # The clock is asked for each of them.
    assert abs(run.times_out_at - run.started_at - timedelta(seconds=60)) < timedelta(seconds=1)
    let_its_time_be_up(run)
    return run


def let_its_time_be_up(run: DagRun) -> None:
    DagRun.objects.filter(pk=run.pk).update(times_out_at=Now() - timedelta(seconds=1))


def let_it_have_been_queued_for(**ago: float) -> None:
    TaskRun.objects.filter(state="queued").update(queued_at=Now() - timedelta(**ago))


def end(execution: Execution) -> bool:
    return end_overdue(
        task_run_id=execution.task_run_id, epoch=execution.epoch, worker="worker@one"
    )


class TestRuns:
    def test_one_that_takes_too_long_is_stopped_and_fails(
        self, dispatcher: RecordingDispatcher
    ) -> None:
        run = a_run_whose_time_is_up()
        execution = claimed(run, "a")
        dispatcher.forget()
        assert time_out() == TimedOut(runs=1)
        run.refresh_from_db()
        assert (run.state, run.timed_out) == ("cancelling", True)
        assert states(run) == {"a": "cancelling", "b": "cancelled"}
        assert dispatcher.called_in == ["worker@one"], "who executes it is told to stop"
        stopped = Outcome(state=TaskState.CANCELLED, message="told to stop", reason="cancelled")
        attempts.finish(execution, stopped, worker="worker@one")
        dispatch(run.pk, actor="dispatcher")
        run.refresh_from_db()
        assert run.state == "failed"
        told = Transition.objects.filter(run=run, task_run=None).order_by("at")
        assert list(told.values_list("to_state", "reason", "actor"))[-2:] == [
            ("cancelling", "run timeout", "timer"),
            ("failed", "run timeout", "dispatcher"),
        ]
        waiting = Transition.objects.get(task_run=task(run, "b").pk, to_state="cancelled")
        assert waiting.reason == "run timeout"

    def test_one_of_which_nothing_runs_ends_with_the_next_dispatch(
        self, conveyor: Conveyor
    ) -> None:
        run = a_run_whose_time_is_up()
        conveyor.lose_all()
        assert time_out().runs == 1
        conveyor.run()
        run.refresh_from_db()
        assert run.state == "failed"
        assert states(run) == {"a": "cancelled", "b": "cancelled"}

    def test_one_whose_last_task_was_quicker_than_its_stopping_has_failed_all_the_same(
        self,
    ) -> None:
        run = start_run(save_dag({"a": []}, run_timeout_seconds=60))
        execution = claimed(run, "a")
        let_its_time_be_up(run)
        assert time_out().runs == 1
        attempts.finish(execution, Outcome.success(), worker="worker@one")
        dispatch(run.pk, [], actor="dispatcher")
        run.refresh_from_db()
        assert (run.state, states(run)) == ("failed", {"a": "success"})

    def test_one_whose_tasks_have_all_ended_in_time_is_left_to_its_dispatch(self) -> None:
        run = start_run(save_dag({"a": []}, run_timeout_seconds=60))
        attempts.finish(claimed(run, "a"), Outcome.success(), worker="worker@one")
        let_its_time_be_up(run)
        assert time_out().runs == 0
        dispatch(run.pk, [], actor="dispatcher")
        run.refresh_from_db()
        assert run.state == "success"

    def test_one_without_a_limit_or_with_time_left_goes_on(self) -> None:
        start_run(save_dag(ROW, name="without"))
        start_run(save_dag(ROW, name="with", run_timeout_seconds=60))
        assert time_out() == TimedOut()

    def test_one_that_waits_for_its_turn_has_all_its_time_from_its_start(self) -> None:
        dag = save_dag(ROW, max_active_runs=1, run_timeout_seconds=60)
        first, second = start_run(dag), start_run(dag)
        assert (second.state, second.times_out_at) == ("queued", None)
        cancel_run(first, actor="user:alice")
        second.refresh_from_db()
        assert second.state == "running"
        assert second.times_out_at is not None

    def test_one_that_is_being_stopped_is_neither_cancelled_nor_cleared(self) -> None:
        run = a_run_whose_time_is_up()
        claimed(run, "a")
        time_out()
        with pytest.raises(RunIsBeingCancelled):
            cancel_run(run, actor="user:alice")
        with pytest.raises(RunCannotBeCleared):
            clear(run, Selection(), actor="user:alice")

    def test_clearing_one_gives_it_its_time_again(self, conveyor: Conveyor) -> None:
        run = a_run_whose_time_is_up()
        time_out()
        conveyor.run()
        run.refresh_from_db()
        assert run.state == "failed"
        clear(run, Selection(), actor="user:alice")
        conveyor.run()
        run.refresh_from_db()
        assert (run.state, run.timed_out) == ("success", False)


class TestQueues:
    def test_a_task_that_no_worker_takes_in_time_fails_with_a_reason(
        self, conveyor: Conveyor
    ) -> None:
        run = start_run(save_dag(ROW, tasks={"a": {"queued_timeout_seconds": 30, "queue": "gpu"}}))
        conveyor.lose_all()
        let_it_have_been_queued_for(seconds=31)
        assert time_out() == TimedOut(queued=1)
        conveyor.run()
        run.refresh_from_db()
        assert run.state == "failed"
        assert states(run) == {"a": "failed", "b": "upstream_failed"}
        attempt = Attempt.objects.get(task_run=task(run, "a"))
        assert (attempt.state, attempt.reason, attempt.number) == ("failed", "queued_timeout", 1)
        assert "longer than 30 s" in attempt.message
        assert attempt.finished_at is not None

    def test_it_has_its_retries_like_any_other_failure(self, conveyor: Conveyor) -> None:
        limits = {"queued_timeout_seconds": 30, "retries": 1, "retry_delay_seconds": 9}
        run = start_run(save_dag(ROW, tasks={"a": limits}))
        let_it_have_been_queued_for(seconds=31)
        assert time_out().queued == 1
        row = task(run, "a")
        assert (row.state, row.attempt) == ("up_for_retry", 1)
        assert row.wake_at is not None

    def test_its_late_message_starts_nothing_and_leads_on(self, conveyor: Conveyor) -> None:
        run = start_run(save_dag(ROW, tasks={"a": {"queued_timeout_seconds": 30}}))
        let_it_have_been_queued_for(seconds=31)
        time_out()
        conveyor.run()
        run.refresh_from_db()
        assert conveyor.started == []
        assert run.state == "failed"

    def test_one_that_was_taken_or_has_time_left_is_let_be(self) -> None:
        limits = {"queued_timeout_seconds": 30}
        taken = start_run(save_dag(ROW, name="taken", tasks={"a": limits}))
        claimed(taken, "a")
        TaskRun.objects.filter(run=taken).update(queued_at=Now() - timedelta(minutes=5))
        start_run(save_dag(ROW, name="early", tasks={"a": limits}))
        assert time_out() == TimedOut()


class TestOverdue:
    def test_a_try_whose_process_had_to_be_killed_counts_as_timed_out(
        self, dispatcher: RecordingDispatcher
    ) -> None:
        run = start_run(save_dag(ROW, tasks={"a": {"timeout_seconds": 2}}))
        execution = claimed(run, "a")
        dispatcher.forget()
        assert end(execution)
        row = task(run, "a")
        assert (row.state, row.lost_count) == ("failed", 0)
        attempt = Attempt.objects.get(task_run=row)
        assert (attempt.reason, attempt.message) == (
            "timeout",
            "it ran longer than its time limit of 2 s",
        )
        assert dispatcher.requested == [(run.pk, None)], "its canvas died with the process"

    def test_one_that_another_worker_has_taken_over_is_not_its_any_more(self) -> None:
        run = start_run(save_dag(ROW, tasks={"a": {"timeout_seconds": 2}}))
        execution = claimed(run, "a")
        attempts.hand_back(execution, worker="worker@one")
        claimed(run, "a")
        assert not end(execution)
        assert task(run, "a").state == "running"
