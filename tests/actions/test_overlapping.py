"""Ticks of schedules while earlier runs have not ended, over real rows."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest

from dags_app.models import Dag
from runs_app.actions import attempts
from runs_app.actions.cancellation import cancel_run
from runs_app.actions.dispatching_steps import dispatch
from runs_app.actions.scheduling import tick
from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Outcome
from runs_app.domain.states import TaskState
from runs_app.models import DagRun, SkippedTick, TaskRun, Transition
from skytrail.database.clock import database_now
from tests.conveyor import Conveyor
from tests.factories import save_dag, start_run
from tests.races.together import by_many

pytestmark = pytest.mark.usefixtures("committing")

MINUTE = timedelta(minutes=1)

STOPPED = Outcome(state=TaskState.CANCELLED, message="told to stop", reason="cancelled")


def dag_with(policy: str, **fields: object) -> Dag:
    return save_dag({"a": []}, cron="* * * * *", overlap_policy=policy, catchup=True, **fields)


def come_due(dag: Dag, *, ticks: int = 1) -> list[datetime]:
    """Makes so many further ticks of the DAG due, and lets the schedule look; their dates."""
    dag.refresh_from_db()
    now = database_now().replace(second=0, microsecond=0)
    seen = dag.last_logical_date
    first = now - timedelta(hours=10) if seen is None else seen + MINUTE
    due = [first + number * MINUTE for number in range(ticks)]
    Dag.objects.filter(pk=dag.pk).update(next_run_at=first, end_date=due[-1])
    tick()
    return due


def standing(dag: Dag) -> list[tuple[str, bool]]:
    """Each run by its date: its state, and whether the schedule has made it."""
    runs = DagRun.objects.filter(dag=dag).order_by("logical_date", "queued_at")
    return [(run.state, run.run_type == "scheduled") for run in runs]


def states(dag: Dag) -> list[str]:
    return [state for state, _ in standing(dag)]


def test_skip_makes_no_run_while_one_is_unfinished_and_remembers_it(conveyor: Conveyor) -> None:
    dag = dag_with("skip")
    (first,) = come_due(dag)
    second, third = come_due(dag, ticks=2)
    assert states(dag) == ["running"]
    skipped = SkippedTick.objects.filter(dag=dag).order_by("logical_date")
    assert [(each.logical_date, each.reason) for each in skipped] == [
        (second, "a run had not ended"),
        (third, "a run had not ended"),
    ]
    conveyor.run()
    (fourth,) = come_due(dag)
    dates = DagRun.objects.filter(dag=dag).order_by("logical_date")
    assert [run.logical_date for run in dates] == [first, fourth]


def test_skip_looks_at_runs_that_people_have_started_too() -> None:
    dag = dag_with("skip")
    start_run(dag)
    come_due(dag)
    assert [state for state, scheduled in standing(dag) if scheduled] == []


def test_buffer_one_has_one_wait(conveyor: Conveyor) -> None:
    dag = dag_with("buffer_one")
    due = come_due(dag, ticks=4)
    assert states(dag) == ["running", "queued"]
    skipped = SkippedTick.objects.filter(dag=dag).order_by("logical_date")
    assert [each.logical_date for each in skipped] == due[2:]
    come_due(dag)
    assert states(dag) == ["running", "queued"]
    conveyor.run()
    assert states(dag) == ["success", "success"]


def test_buffer_all_has_all_wait_and_one_run(conveyor: Conveyor) -> None:
    dag = dag_with("buffer_all")
    come_due(dag, ticks=3)
    assert states(dag) == ["running", "queued", "queued"]
    assert not SkippedTick.objects.exists()
    conveyor.run()
    assert states(dag) == ["success", "success", "success"]


def test_cancel_other_cancels_what_the_schedule_has_started_and_nothing_else() -> None:
    dag = dag_with("cancel_other")
    by_hand = start_run(dag)
    come_due(dag)
    come_due(dag, ticks=2)
    # What people have started goes on, and the new run waits for it: they never overlap.
    assert [state for state, scheduled in standing(dag) if scheduled] == ["cancelled", "queued"]
    by_hand.refresh_from_db()
    assert by_hand.state == "running"
    assert SkippedTick.objects.get().reason == "overtaken by a later one"


def test_cancel_other_begins_when_the_cancelled_run_has_really_ended(conveyor: Conveyor) -> None:
    dag = dag_with("cancel_other")
    come_due(dag)
    row = TaskRun.objects.get(run__dag=dag)
    execution = attempts.claim(task_run_id=row.pk, epoch=row.epoch, worker="w")
    assert isinstance(execution, Execution)
    come_due(dag)
    assert states(dag) == ["cancelling", "queued"]
    attempts.finish(execution, STOPPED, worker="w")
    dispatch(row.run_id, actor="dispatcher")
    conveyor.run()
    assert states(dag) == ["cancelled", "success"]
    actors = Transition.objects.filter(run__dag=dag, to_state="cancelling", task_run=None)
    assert {move.actor for move in actors} == {"schedule"}


def test_continuous_begins_a_run_as_soon_as_none_is_left(conveyor: Conveyor) -> None:
    dag = save_dag({"a": []}, schedule="@continuous")
    assert tick().runs == 1
    assert tick().dags == 0
    conveyor.run()
    assert tick().runs == 1
    first, second = DagRun.objects.filter(dag=dag).order_by("logical_date")
    assert second.data_interval_start == first.logical_date
    assert second.data_interval_end == second.logical_date
    assert [first.state, second.state] == ["success", "running"]


def test_once_runs_once(conveyor: Conveyor) -> None:
    dag = save_dag({"a": []}, schedule="@once")
    assert tick().runs == 1
    conveyor.run()
    assert tick().dags == 0
    dag.refresh_from_db()
    assert dag.next_run_at is None


def test_what_was_missed_longer_ago_than_the_window_is_not_made_up_for() -> None:
    dag = save_dag({"a": []}, cron="* * * * *", catchup=True, catchup_window_seconds=300)
    now = database_now()
    Dag.objects.filter(pk=dag.pk).update(next_run_at=now - timedelta(hours=5))
    tick()
    dates = [run.logical_date for run in DagRun.objects.all() if run.logical_date]
    assert len(dates) in {5, 6}
    assert min(dates) >= now - timedelta(seconds=300)


def test_two_ticks_at_once_come_to_what_one_does() -> None:
    dags = [
        save_dag({"a": []}, name=policy, cron="* * * * *", overlap_policy=policy, catchup=True)
        for policy in ("allow", "skip", "buffer_one", "buffer_all", "cancel_other")
    ]
    endless = save_dag({"a": []}, name="endless", schedule="@continuous")
    for _ in range(3):
        now = database_now().replace(second=0, microsecond=0)
        for dag in dags:
            Dag.objects.filter(pk=dag.pk).update(next_run_at=now - 2 * MINUTE, end_date=now)
        by_many(3, tick)
        assert [len(states(dag)) for dag in dags] == [3, 1, 2, 3, 1]
        assert states(endless) == ["running"]


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_no_policy_breaks_its_word(seed: int, conveyor: Conveyor) -> None:
    """Ticks, ends, cancels and runs by hand, in any order."""
    luck = random.Random(seed)
    policy = ["skip", "buffer_one", "buffer_all", "cancel_other"][seed % 4]
    dag = dag_with(policy, max_active_runs=5)
    due: list[datetime] = []
    for _ in range(15):
        match luck.choice(["due", "due", "run", "cancel", "by hand"]):
            case "due":
                due += come_due(dag, ticks=luck.randint(1, 3))
            case "run":
                conveyor.run()
            case "cancel":
                under_way = DagRun.objects.filter(dag=dag, state__in=["queued", "running"])
                if run := under_way.order_by("?").first():
                    cancel_run(run, actor="user:alice")
            case "by hand":
                start_run(dag)
        running = DagRun.objects.filter(dag=dag, state__in=["running", "cancelling"])
        waiting = DagRun.objects.filter(dag=dag, state="queued", run_type="scheduled")
        if policy != "skip":
            assert running.count() <= 1
        if policy in {"buffer_one", "cancel_other", "skip"}:
            assert waiting.count() <= 1
    with_run = set(
        DagRun.objects.filter(dag=dag, run_type="scheduled").values_list("logical_date", flat=True)
    )
    skipped = set(SkippedTick.objects.filter(dag=dag).values_list("logical_date", flat=True))
    assert not with_run & skipped
    assert with_run | skipped == set(due)
    if policy == "buffer_all":
        assert not skipped
