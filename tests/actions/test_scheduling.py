"""Runs that schedules ask for."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from django.db.models.functions import Now

from dags_app.actions.pausing import pause, resume
from dags_app.models import Dag
from runs_app.actions.scheduling import tick
from runs_app.models import DagRun
from skytrail.database.clock import database_now
from tests.conveyor import Conveyor
from tests.factories import save_dag

pytestmark = pytest.mark.usefixtures("committing")


def due(dag: Dag, *, since: timedelta) -> datetime:
    """Makes the DAG's schedule due since a while ago; its first tick that was missed."""
    first = (database_now() - since).replace(second=0, microsecond=0)
    Dag.objects.filter(pk=dag.pk).update(next_run_at=first)
    return first


def test_a_due_dag_gets_its_run_with_its_logical_date(conveyor: Conveyor) -> None:
    dag = save_dag({"a": []}, cron="* * * * *")
    first = due(dag, since=timedelta(seconds=60))
    ticked = tick()
    assert ticked.dags == 1
    run = DagRun.objects.latest("logical_date")
    assert run.run_type == "scheduled"
    assert run.logical_date is not None
    assert run.logical_date >= first
    assert run.run_id == f"scheduled__{run.logical_date.isoformat()}"
    assert run.data_interval_end == run.logical_date
    assert run.data_interval_start == run.logical_date - timedelta(minutes=1)
    conveyor.run()
    run.refresh_from_db()
    assert run.state == "success"


def test_the_next_tick_comes_only_when_it_is_due() -> None:
    due(save_dag({"a": []}, cron="* * * * *"), since=timedelta(seconds=60))
    tick()
    count = DagRun.objects.count()
    tick()
    assert DagRun.objects.count() == count
    next_run_at = Dag.objects.get().next_run_at
    assert next_run_at is not None
    assert next_run_at > datetime.now(UTC)


def test_without_catchup_only_the_latest_missed_tick_is_made_up_for() -> None:
    dag = save_dag({"a": []}, cron="*/5 * * * *")
    due(dag, since=timedelta(hours=3))
    tick()
    run = DagRun.objects.get()
    assert run.logical_date is not None
    assert database_now() - run.logical_date < timedelta(minutes=5)


def test_with_catchup_all_are_made_up_for_oldest_first_within_the_dags_limit() -> None:
    dag = save_dag({"a": []}, cron="*/5 * * * *", catchup=True, max_active_runs=3)
    due(dag, since=timedelta(hours=1))
    tick()
    runs = DagRun.objects.order_by("logical_date")
    assert 11 <= len(runs) <= 13
    assert [run.state for run in runs][:4] == ["running", "running", "running", "queued"]
    dates = [run.logical_date for run in runs if run.logical_date]
    assert {later - earlier for earlier, later in itertools.pairwise(dates)} == {
        timedelta(minutes=5)
    }


def test_a_long_catchup_goes_on_with_the_next_tick() -> None:
    dag = save_dag({"a": []}, cron="* * * * *", catchup=True, max_active_runs=1)
    due(dag, since=timedelta(hours=4))
    tick()
    assert DagRun.objects.count() == 100
    tick()
    assert DagRun.objects.count() == 200
    tick()
    assert 240 <= DagRun.objects.count() <= 242


def test_a_paused_dag_is_passed_over_and_resuming_it_makes_up_for_nothing() -> None:
    dag = save_dag({"a": []}, cron="* * * * *")
    due(dag, since=timedelta(hours=1))
    pause(dag)
    assert tick().dags == 0
    resume(dag)
    assert tick().dags == 0
    assert not DagRun.objects.exists()


def test_nothing_runs_after_the_end_date() -> None:
    end = (database_now() - timedelta(minutes=30)).isoformat()
    dag = save_dag({"a": []}, cron="*/5 * * * *", catchup=True, end_date=end)
    assert dag.next_run_at is None
    due(dag, since=timedelta(hours=1))
    tick()
    late = DagRun.objects.filter(logical_date__gt=Now() - timedelta(minutes=30))
    assert not late.exists()
    assert Dag.objects.get().next_run_at is None


def test_an_interval_counts_from_the_start_date() -> None:
    start = (database_now() - timedelta(seconds=95)).replace(microsecond=0)
    dag = save_dag(
        {"a": []},
        schedule={"interval_seconds": 30},
        start_date=start.isoformat(),
        catchup=True,
    )
    assert dag.next_run_at == start
    tick()
    dates = DagRun.objects.order_by("logical_date").values_list("logical_date", flat=True)
    assert list(dates)[:4] == [start + timedelta(seconds=30 * k) for k in range(4)]


def test_two_hundred_and_fifty_due_dags_are_served_in_one_tick() -> None:
    for place in range(250):
        due(save_dag({"a": []}, name=f"dag{place}", cron="* * * * *"), since=timedelta(minutes=1))
    ticked = tick()
    assert ticked.dags == 250
    assert DagRun.objects.count() == 250


def test_a_scheduled_run_gets_the_defaults_of_its_parameters() -> None:
    dag = save_dag({"a": []}, cron="* * * * *", params={"size": 3})
    due(dag, since=timedelta(seconds=60))
    tick()
    assert DagRun.objects.latest("logical_date").conf == {"size": 3}
