"""Finding what Redis or a worker has lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from pytest_django import Settings

from runs_app.actions import attempts, presence, recovery, ticks
from runs_app.actions.cancellation import cancel_run
from runs_app.actions.recovery import recover
from runs_app.domain.outcomes import Outcome
from runs_app.models import Attempt, DagRun, TaskRun, Tick
from tests.actions.test_cancelling import claimed
from tests.conveyor import Conveyor
from tests.doubles import RecordingDispatcher
from tests.factories import save_dag, start_run, states, task

ROW = {"a": [], "b": ["a"]}


@pytest.fixture(autouse=True)
def _the_database_has_been_there_all_along(committing: None) -> None:
    """Otherwise recovery takes nothing from anybody, as after any absence."""
    presence.note()
    it_was_settled_long_ago()


def it_was_settled_long_ago() -> None:
    Tick.objects.filter(name="presence").update(memory={"settled_at": "2026-01-01T00:00:00Z"})


def again() -> recovery.Recovered:
    """The next sweep, as if its time had come."""
    Tick.objects.filter(name="recover").update(ran_at=Now() - timedelta(seconds=5))
    found = recover(every=5)
    assert found is not None
    return found


def let_the_lease_run_out() -> None:
    TaskRun.objects.filter(lease_expires_at__isnull=False).update(
        lease_expires_at=Now() - timedelta(seconds=1)
    )


def let_the_message_be_late() -> None:
    TaskRun.objects.filter(state="queued").update(published_at=Now() - timedelta(minutes=1))


def test_an_execution_whose_lease_ran_out_is_given_to_another_worker(
    dispatcher: RecordingDispatcher,
) -> None:
    run = start_run(save_dag(ROW))
    zombie = claimed(run, "a")
    dispatcher.forget()
    let_the_lease_run_out()
    assert again().lost == 1
    row = task(run, "a")
    assert (row.state, row.epoch, row.lost_count, row.attempt) == ("queued", 2, 1, 1)
    assert len(dispatcher.consignments) == 1
    assert attempts.finish(zombie, Outcome.success(), worker="worker@one") is None
    lost = Attempt.objects.get(task_run=row)
    assert (lost.state, lost.reason) == ("failed", "worker_lost")
    run.refresh_from_db()
    assert run.degraded


def test_a_lease_that_still_runs_is_left_alone() -> None:
    claimed(start_run(save_dag(ROW)), "a")
    assert again().lost == 0


def test_a_task_whose_workers_die_again_and_again_fails_in_the_end(
    conveyor: Conveyor, settings: Settings
) -> None:
    settings.SKYTRAIL_MAX_LOST = 2
    run = start_run(save_dag(ROW))
    for _ in range(3):
        claimed(run, "a")
        let_the_lease_run_out()
        again()
    conveyor.run()
    run.refresh_from_db()
    assert states(run) == {"a": "failed", "b": "upstream_failed"}
    assert run.state == "failed"


def test_a_task_that_must_not_run_twice_fails_when_its_worker_is_lost(conveyor: Conveyor) -> None:
    run = start_run(save_dag(ROW, tasks={"a": {"rerun_on_worker_loss": False}}))
    claimed(run, "a")
    let_the_lease_run_out()
    again()
    assert states(run)["a"] == "failed"


def test_a_cancel_is_completed_when_the_worker_that_was_to_stop_is_gone(
    conveyor: Conveyor,
) -> None:
    run = start_run(save_dag(ROW))
    claimed(run, "a")
    cancel_run(run, actor="user:alice")
    let_the_lease_run_out()
    again()
    conveyor.run()
    run.refresh_from_db()
    assert run.state == "cancelled"


def test_a_message_that_was_never_sent_is_sent_within_seconds(
    dispatcher: RecordingDispatcher,
) -> None:
    start_run(save_dag(ROW))
    dispatcher.forget()
    TaskRun.objects.filter(state="queued").update(
        published_at=None, queued_at=Now() - timedelta(seconds=10)
    )
    assert again().republished == 1
    assert len(dispatcher.consignments) == 1


def test_a_message_that_redis_lost_is_sent_again_after_two_checks(
    dispatcher: RecordingDispatcher,
) -> None:
    run = start_run(save_dag(ROW))
    dispatcher.forget()
    let_the_message_be_late()
    assert again().republished == 0, "one check may be a coincidence"
    assert again().republished == 1
    assert task(run, "a").epoch == 1, "it is the same execution, sent once more"


def test_a_long_backlog_is_no_loss(dispatcher: RecordingDispatcher) -> None:
    start_run(save_dag({f"t{i}": [] for i in range(20)}))
    dispatcher.depths = {"default": 20}
    dispatcher.forget()
    let_the_message_be_late()
    assert [again().republished for _ in range(3)] == [0, 0, 0]


def test_what_others_have_overtaken_is_lost_whatever_else_is_in_the_queue(
    dispatcher: RecordingDispatcher,
) -> None:
    """Messages for later steps of chains, whose rows wait, hide what is missing."""
    lost, later = (start_run(save_dag(ROW, name=name)) for name in ("lost", "later"))
    let_the_message_be_late()
    TaskRun.objects.filter(run=later, task_id="a").update(published_at=Now())
    claimed(later, "a")
    dispatcher.forget()
    dispatcher.depths = {"default": 20}
    assert again().republished == 1
    ((ticket,),) = [consignment.tickets.values() for consignment in dispatcher.consignments]
    assert ticket.task_run_id == task(lost, "a").pk


def test_what_begins_again_goes_ahead_of_the_others_and_proves_no_loss(
    dispatcher: RecordingDispatcher,
) -> None:
    backlog, lost = (start_run(save_dag(ROW, name=name)) for name in ("backlog", "lost"))
    claimed(lost, "a")
    let_the_message_be_late()
    dispatcher.forget()
    let_the_lease_run_out()
    dispatcher.depths = {"default": 20}
    assert again().lost == 1
    ((ticket,),) = [consignment.tickets.values() for consignment in dispatcher.consignments]
    assert ticket.priority == 1
    claimed(lost, "a")
    assert again().republished == 0
    assert task(backlog, "a").publish_count == 1


def test_what_is_sent_again_is_given_longer_each_time(dispatcher: RecordingDispatcher) -> None:
    start_run(save_dag(ROW))
    let_the_message_be_late()
    sent = [again().republished for _ in range(5)]
    assert sent == [0, 1, 0, 0, 0]


def test_a_run_whose_dispatch_was_lost_is_planned_again(conveyor: Conveyor) -> None:
    run = start_run(save_dag(ROW))
    attempts.finish(claimed(run, "a"), Outcome.success(), worker="worker@one")
    conveyor.lose_all()
    DagRun.objects.update(planned_at=Now() - timedelta(minutes=5))
    assert again().planned == 1
    conveyor.run()
    run.refresh_from_db()
    assert run.state == "success"


def test_a_degraded_run_is_planned_at_every_sweep(conveyor: Conveyor) -> None:
    start_run(save_dag(ROW))
    DagRun.objects.update(degraded=True, planned_at=Now() - timedelta(seconds=6))
    assert again().planned == 1


def test_a_run_that_nobody_promoted_is_promoted(conveyor: Conveyor) -> None:
    dag = save_dag(ROW, max_active_runs=1)
    first, second = start_run(dag), start_run(dag)
    DagRun.objects.filter(pk=first.pk).update(state="success", finished_at=Now())
    assert again().promoted == 1
    second.refresh_from_db()
    assert second.state == "running"


@pytest.mark.parametrize("who_sees_it_first", ["recovery", "a worker"])
def test_after_an_absence_of_the_database_recovery_waits_one_lease(who_sees_it_first: str) -> None:
    claimed(start_run(save_dag(ROW)), "a")
    let_the_lease_run_out()
    Tick.objects.filter(name="presence").update(ran_at=Now() - timedelta(minutes=10))
    if who_sees_it_first == "a worker":
        presence.note()
    found = recover(every=5)
    assert found is not None
    assert found.lost == 0, "the workers could not renew their leases either"
    assert again().lost == 0, "and it goes on waiting"
    it_was_settled_long_ago()
    assert again().lost == 1


def test_nothing_is_taken_over_before_those_who_are_cut_off_can_have_heard_of_it() -> None:
    claimed(start_run(save_dag(ROW)), "a")
    let_the_lease_run_out()
    said: list[float] = []

    def announce(settling: float) -> bool:
        said.append(settling)
        return len(said) > 1

    first = recover(every=0, announce=announce)
    second = recover(every=0, announce=announce)
    assert first is not None
    assert second is not None
    assert (first.lost, second.lost) == (0, 1)
    assert said == [0, 0]


def test_a_database_that_goes_away_in_the_middle_of_a_sweep_has_nothing_taken_over() -> None:
    claimed(start_run(save_dag(ROW)), "a")

    def goes_away(_settling: float) -> bool:
        let_the_lease_run_out()
        Tick.objects.filter(name="presence").update(ran_at=Now() - timedelta(minutes=10))
        return True

    found = recover(every=0, announce=goes_away)
    assert found is not None
    assert found.lost == 0


def test_two_sweeps_at_once_are_one() -> None:
    assert recover(every=5) is not None
    assert recover(every=5) is None


def test_everything_lost_at_once_costs_no_run(conveyor: Conveyor) -> None:
    runs = [start_run(save_dag(ROW, name=f"dag{i}")) for i in range(5)]
    conveyor.deliver_one()
    assert conveyor.lose_all() > 0
    for _ in range(3):
        let_the_message_be_late()
        DagRun.objects.update(planned_at=Now() - timedelta(minutes=5))
        again()
        conveyor.run()
    assert {states(run)["b"] for run in runs} == {"success"}


def test_overdue_jobs_are_known() -> None:
    Tick.objects.create(name="schedule", ran_at=Now() - timedelta(seconds=60))
    Tick.objects.create(name="recover", ran_at=Now())
    assert ticks.overdue({"schedule": 10.0, "recover": 10.0, "never": 10.0}) == [
        "schedule",
        "never",
    ]
