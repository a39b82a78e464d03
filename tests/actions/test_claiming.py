"""Who may execute, and whose result counts: fencing by epoch."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from runs_app.actions import attempts
from runs_app.actions.dispatching_steps import dispatch
from runs_app.domain.claims import Refusal
from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Outcome
from runs_app.models import DagRun
from skytrail.database.keys import new_key
from tests.actions.test_cancelling import claimed
from tests.factories import save_dag, start_run, states, task

pytestmark = pytest.mark.usefixtures("committing")

ROW = {"a": [], "b": ["a"], "c": ["b"]}


@pytest.fixture
def run() -> DagRun:
    return start_run(save_dag(ROW))


def claim(run: DagRun, task_id: str, epoch: int) -> Execution | Refusal:
    return attempts.claim(task_run_id=task(run, task_id).pk, epoch=epoch, worker="worker@one")


def test_an_epoch_is_claimed_once_however_often_its_message_arrives(run: DagRun) -> None:
    assert isinstance(claim(run, "a", 1), Execution)
    assert claim(run, "a", 1) is Refusal.ELSEWHERE


def test_a_message_for_what_has_ended_passes_through_to_repair_its_chain(run: DagRun) -> None:
    attempts.finish(claimed(run, "a"), Outcome.success(), worker="worker@one")
    assert claim(run, "a", 1) is Refusal.ENDED


def test_a_later_step_is_claimed_while_it_waits_once_its_upstream_has_succeeded(
    run: DagRun,
) -> None:
    assert claim(run, "b", 1) is Refusal.NOT_NOW
    attempts.finish(claimed(run, "a"), Outcome.success(), worker="worker@one")
    execution = claim(run, "b", 1)
    assert isinstance(execution, Execution)
    assert (execution.epoch, execution.attempt) == (1, 1)


def test_a_later_step_is_not_claimed_when_its_upstream_failed(run: DagRun) -> None:
    failed = Outcome.failed("it broke", reason="exception")
    attempts.finish(claimed(run, "a"), failed, worker="worker@one")
    assert claim(run, "b", 1) is Refusal.NOT_NOW


def test_the_dispatcher_and_a_chain_cannot_both_start_a_step(run: DagRun) -> None:
    attempts.finish(claimed(run, "a"), Outcome.success(), worker="worker@one")
    dispatch(run.pk, actor="recovery")
    assert states(run)["b"] == "queued"
    assert isinstance(claim(run, "b", 1), Execution), "the chain's message and the dispatcher's"
    assert claim(run, "b", 1) is Refusal.ELSEWHERE, "name the same epoch"


def test_an_old_epoch_is_refused(run: DagRun) -> None:
    execution = claimed(run, "a")
    assert attempts.hand_back(execution, worker="worker@one")
    assert claim(run, "a", 1) is Refusal.ELSEWHERE


def test_the_result_of_an_execution_that_was_taken_over_is_dropped(run: DagRun) -> None:
    zombie = claimed(run, "a")
    attempts.hand_back(zombie, worker="worker@one")
    successor = claimed(run, "a")
    assert attempts.finish(zombie, Outcome.success("wrong"), worker="worker@one") is None
    assert states(run)["a"] == "running"
    finished = attempts.finish(successor, Outcome.success("right"), worker="worker@two")
    assert finished is not None


def test_finishing_twice_changes_nothing_the_second_time(run: DagRun) -> None:
    execution = claimed(run, "a")
    assert attempts.finish(execution, Outcome.success(), worker="worker@one") is not None
    failed = Outcome.failed("too late", reason="exception")
    again = attempts.finish(execution, failed, worker="worker@one")
    assert again is not None, "whose connection died before the answer came asks again"
    assert (again.state, again.needs_dispatch) == ("success", True)
    assert states(run)["a"] == "success"


def test_who_asks_again_under_the_same_key_is_given_what_it_has_claimed(run: DagRun) -> None:
    row, key = task(run, "a"), new_key()

    def ask(key: UUID) -> Execution | Refusal:
        return attempts.claim(task_run_id=row.pk, epoch=1, worker="worker@one", key=key)

    first = ask(key)
    assert isinstance(first, Execution)
    assert ask(key) == first, "the connection died before the answer came"
    assert ask(new_key()) is Refusal.ELSEWHERE, "the message came twice"
    attempts.finish(first, Outcome.success(), worker="worker@one")
    assert ask(key) is Refusal.ENDED


def test_a_task_run_that_is_no_more_is_refused(run: DagRun) -> None:
    refused = attempts.claim(task_run_id=run.pk, epoch=1, worker="worker@one")
    assert refused is Refusal.ELSEWHERE


def test_a_worker_is_given_all_it_needs_in_one_answer() -> None:
    dag = save_dag(
        {"only": []},
        params={"day": {"type": "string"}},
        tasks={
            "only": {
                "type": "bash",
                "command": "true",
                "retries": 3,
                "retry_delay_seconds": 7,
                "timeout_seconds": 11,
            }
        },
    )
    run = start_run(dag, conf={"day": "monday"})
    execution = claimed(run, "only")
    assert (execution.dag_id, execution.run_id) == ("story", run.run_id)
    assert execution.conf == {"day": "monday"}
    assert execution.command == '{"command":"true","type":"bash"}'
    assert (execution.timeout_seconds, execution.retry_delay_seconds) == (11, 7)
    assert execution.max_attempts == 4


def test_a_task_costs_two_statements(run: DagRun) -> None:
    row = task(run, "a")
    with CaptureQueriesContext(connection) as queries:
        execution = attempts.claim(task_run_id=row.pk, epoch=1, worker="worker@one")
        assert isinstance(execution, Execution)
        attempts.finish(execution, Outcome.success({"rows": 3}), worker="worker@one", log="hello")
    assert len(queries) == 2


def test_handing_back_costs_neither_a_try_nor_a_loss(run: DagRun) -> None:
    attempts.hand_back(claimed(run, "a"), worker="worker@one")
    row = task(run, "a")
    assert (row.state, row.attempt, row.epoch, row.lost_count) == ("queued", 1, 2, 0)
