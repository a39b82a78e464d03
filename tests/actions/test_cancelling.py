"""Stopping what somebody wants stopped."""

from __future__ import annotations

import pytest

from runs_app.actions import attempts, cancellation, leases
from runs_app.actions.cancellation import cancel_run, cancel_task
from runs_app.actions.dispatching_steps import dispatch
from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Outcome
from runs_app.domain.states import TaskState
from runs_app.models import DagRun
from tests.conveyor import Conveyor
from tests.doubles import RecordingDispatcher
from tests.factories import save_dag, start_run, states, task

pytestmark = pytest.mark.usefixtures("committing")

ROW = {"a": [], "b": ["a"]}


def claimed(run: DagRun, task_id: str) -> Execution:
    """The execution of a queued task, begun by a worker."""
    row = task(run, task_id)
    execution = attempts.claim(task_run_id=row.pk, epoch=row.epoch, worker="worker@one")
    assert isinstance(execution, Execution)
    return execution


def test_a_run_of_which_nothing_runs_is_cancelled_at_once() -> None:
    run = cancel_run(start_run(save_dag(ROW)), actor="user:alice")
    assert run.state == "cancelled"
    assert run.finished_at is not None
    assert states(run) == {"a": "cancelled", "b": "cancelled"}


def test_what_runs_is_stopped_by_its_worker_before_the_run_is_over(
    dispatcher: RecordingDispatcher,
) -> None:
    run = start_run(save_dag(ROW))
    execution = claimed(run, "a")
    run = cancel_run(run, actor="user:alice")
    assert run.state == "cancelling"
    assert states(run) == {"a": "cancelling", "b": "cancelled"}
    assert dispatcher.called_in == ["worker@one"]
    (held,) = leases.renew([(execution.task_run_id, execution.epoch)])
    assert held.state == "cancelling", "the worker hears it when it renews its lease"

    stopped = Outcome(state=TaskState.CANCELLED, message="told to stop", reason="cancelled")
    finished = attempts.finish(execution, stopped, worker="worker@one")
    assert finished is not None
    assert finished.needs_dispatch
    dispatch(run.pk, actor="dispatcher")
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert states(run)["a"] == "cancelled"


def test_a_task_that_was_quicker_than_the_cancel_has_succeeded() -> None:
    run = start_run(save_dag(ROW))
    execution = claimed(run, "a")
    cancel_run(run, actor="user:alice")
    attempts.finish(execution, Outcome.success(), worker="worker@one")
    assert states(run)["a"] == "success"


def test_a_message_that_comes_after_the_cancel_starts_nothing(conveyor: Conveyor) -> None:
    run = start_run(save_dag(ROW))
    cancel_run(run, actor="user:alice")
    conveyor.run()
    assert conveyor.started == []


def test_cancelling_twice_is_a_conflict_that_says_so() -> None:
    run = start_run(save_dag(ROW))
    claimed(run, "a")
    cancel_run(run, actor="user:alice")
    with pytest.raises(cancellation.RunIsBeingCancelled, match="being cancelled already"):
        cancel_run(run, actor="user:alice")


def test_a_run_that_is_over_cannot_be_cancelled(conveyor: Conveyor) -> None:
    run = start_run(save_dag(ROW))
    conveyor.run()
    with pytest.raises(cancellation.RunHasEnded, match="is over \\(success\\)"):
        cancel_run(run, actor="user:alice")


def test_one_task_is_cancelled_and_the_rest_is_settled_by_its_rules(conveyor: Conveyor) -> None:
    graph = {"a": [], "b": ["a"], "anyway": ["a"], "aside": []}
    run = start_run(save_dag(graph, tasks={"anyway": {"trigger_rule": "all_done"}}))
    cancel_task(task(run, "a"), actor="user:alice")
    conveyor.run()
    run.refresh_from_db()
    assert run.state == "failed"
    assert states(run) == {
        "a": "cancelled", "b": "upstream_failed", "anyway": "success", "aside": "success",
    }  # fmt: skip


def test_a_task_that_is_over_cannot_be_cancelled(conveyor: Conveyor) -> None:
    run = start_run(save_dag(ROW))
    conveyor.run()
    with pytest.raises(cancellation.TaskHasEnded):
        cancel_task(task(run, "a"), actor="user:alice")


def test_a_waiting_run_of_the_dag_takes_the_place_of_a_cancelled_one(conveyor: Conveyor) -> None:
    dag = save_dag(ROW, max_active_runs=1)
    first, second = start_run(dag), start_run(dag)
    assert second.state == "queued"
    cancel_run(first, actor="user:alice")
    conveyor.run()
    second.refresh_from_db()
    assert second.state == "success"
