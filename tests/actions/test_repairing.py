"""Mending what fsck has found: what stands still goes on, and the past is left alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from dags_app.models import Dag
from runs_app.actions import attempts
from runs_app.actions.dispatching_steps import dispatch
from runs_app.actions.repairing import Treated, repair
from runs_app.domain.outcomes import Outcome
from runs_app.models import Attempt, Pool, TaskRun, Tick, Transition
from runs_app.selectors.invariants.examining import Scope, examine
from runs_app.selectors.invariants.terms import NO_TOLERANCE
from tests.actions.test_cancelling import claimed
from tests.actions.test_recovering import it_was_settled_long_ago
from tests.conveyor import Conveyor
from tests.factories import save_dag, start_run, states, task
from tests.selectors.breaking import past_the_triggers, without_constraint

pytestmark = pytest.mark.usefixtures("committing")

ROW = {"a": [], "b": ["a"]}


def mend() -> list[Treated]:
    """Everything that is broken is treated; what was done about each."""
    found = examine(Scope(), tolerance=NO_TOLERANCE)
    assert not found.is_clean
    return repair(found.breaches, actor="cli:alice")


def is_clean() -> bool:
    return examine(Scope(), tolerance=NO_TOLERANCE).is_clean


def test_a_run_that_stands_still_goes_on(conveyor: Conveyor) -> None:
    run = start_run(save_dag(ROW))
    attempts.finish(claimed(run, "a"), Outcome.success(), worker="worker@one")
    conveyor.lose_all()
    (treated,) = mend()
    assert treated.done == "planned the run: queued 1"
    assert is_clean()
    assert Transition.objects.get(task_run=task(run, "b")).actor == "cli:alice"
    conveyor.run()
    assert states(run) == {"a": "success", "b": "success"}


def test_a_run_whose_tasks_are_all_over_is_ended(conveyor: Conveyor) -> None:
    run = start_run(save_dag({"a": []}))
    attempts.finish(claimed(run, "a"), Outcome.success(), worker="worker@one")
    conveyor.lose_all()
    mend()
    run.refresh_from_db()
    assert run.state == "success"
    assert is_clean()


def test_free_slots_and_places_are_given_out(conveyor: Conveyor) -> None:
    Pool.objects.create(name="db", slots=0)
    dag = save_dag(ROW, tasks={"a": {"pool": "db"}}, max_active_runs=1)
    run = start_run(dag)
    dispatch(run.pk, actor="dispatcher")
    start_run(dag)
    conveyor.lose_all()
    Pool.objects.update(slots=1)
    Dag.objects.update(max_active_runs=2)
    assert len(mend()) == 2
    assert states(run)["a"] == "queued"
    conveyor.run()
    assert is_clean()


def test_a_message_that_could_not_be_sent_is_sent(conveyor: Conveyor) -> None:
    run = start_run(save_dag(ROW))
    conveyor.lose_all()
    TaskRun.objects.filter(run=run, task_id="a").update(
        published_at=None, queued_at=Now() - timedelta(minutes=1)
    )
    (treated,) = mend()
    assert "1 sent again" in treated.done
    conveyor.run()
    assert states(run)["a"] == "success"


def test_what_overslept_is_taken_up(conveyor: Conveyor) -> None:
    run = start_run(save_dag(ROW, tasks={"a": {"retries": 1}}))
    failed = Outcome.failed("it broke", reason="exception")
    attempts.finish(claimed(run, "a"), failed, worker="worker@one")
    TaskRun.objects.filter(run=run, task_id="a").update(wake_at=Now() - timedelta(minutes=5))
    assert [treated.done for treated in mend()] == ["took up what was due: 1 task runs"]
    assert states(run)["a"] == "queued"


def test_a_lease_that_ran_out_is_recoverys(conveyor: Conveyor) -> None:
    Tick.objects.create(name="presence", ran_at=Now())
    it_was_settled_long_ago()
    run = start_run(save_dag(ROW))
    claimed(run, "a")
    TaskRun.objects.filter(run=run, task_id="a").update(lease_expires_at=Now() - timedelta(hours=1))
    assert "1 taken over" in mend()[0].done
    assert states(run)["a"] == "queued"


def test_what_runs_without_a_lease_is_given_one(conveyor: Conveyor) -> None:
    with without_constraint("skytrail_task_run", "task_run_leased_iff_running"):
        run = start_run(save_dag(ROW))
        claimed(run, "a")
        TaskRun.objects.filter(run=run).update(lease_expires_at=None)
        given = {treated.breach.found.code: treated for treated in mend()}
        assert "gave it a lease" in given["no_lease"].done
        assert "put it back" in given["constraint_missing"].left
        assert task(run, "a").lease_expires_at is not None


def test_the_past_is_left_alone_and_a_person_is_told_why(conveyor: Conveyor) -> None:
    run = start_run(save_dag(ROW))
    conveyor.run()
    Attempt.objects.filter(task_run=task(run, "a")).update(finished_at=None)
    before = list(Transition.objects.values_list("pk", flat=True))
    (treated,) = mend()
    assert treated.done == ""
    assert "log" in treated.left
    assert list(Transition.objects.values_list("pk", flat=True)) == before


def test_a_run_that_is_broken_in_other_ways_is_not_set_going(conveyor: Conveyor) -> None:
    run = start_run(save_dag(ROW))
    with past_the_triggers():
        TaskRun.objects.filter(run=run, task_id="a").update(state="success", finished_at=Now())
    treated = {one.breach.found.code: one for one in mend()}
    assert "first decide" in treated["ready_task_waits"].left
    assert states(run)["b"] == "waiting"
