"""Assets that tasks make new, and the runs that come of it."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from dags_app.actions import pausing
from dags_app.domain.parse import parse
from dags_app.models import Dag
from runs_app.actions import assets, retention, scheduling
from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Outcome
from runs_app.models import AssetDelivery, AssetEvent, DagRun, RunType, SkippedTick
from runs_app.selectors.asset_events import (
    events_of_run,
    known_assets,
    triggering_events,
    waiting_events,
)
from skytrail.errors import Invalid
from skytrail.security.subject import Operator
from tests.conveyor import Conveyor, ends, failing
from tests.factories import document, save_dag, start_run, states
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("committing")


def producer(name: str = "shop", **outlets: list[str]) -> Dag:
    """A DAG whose tasks make these assets new."""
    tasks: dict[str, Any] = {task: {"outlets": names} for task, names in outlets.items()}
    return save_dag({task: [] for task in outlets}, tasks=tasks, name=name)


def consumer(name: str = "report", **fields: Any) -> Dag:
    return save_dag({"read": []}, name=name, **({"schedule": {"assets": ["orders"]}} | fields))


def runs_of(dag: Dag) -> list[DagRun]:
    return list(DagRun.objects.filter(dag=dag).order_by("queued_at", "id"))


def make_new(*names: str) -> None:
    for name in names:
        assets.emit(name, actor="test")


# ---------------------------------------------------------------- events


def test_a_task_that_succeeds_makes_its_outlets_new(conveyor: Conveyor) -> None:
    run = start_run(producer(load=["orders", "rates"]))
    conveyor.run()
    events = AssetEvent.objects.order_by("asset")
    assert [(e.asset, e.dag_id, e.task_id, e.run_id) for e in events] == [
        ("orders", "shop", "load", run.run_id),
        ("rates", "shop", "load", run.run_id),
    ]


def test_one_that_fails_or_is_skipped_does_not(conveyor: Conveyor) -> None:
    conveyor.script = ends(load=failing())
    start_run(producer(load=["orders"]))
    conveyor.run()
    assert not AssetEvent.objects.exists()


def test_of_a_mapped_task_each_instance_does_and_the_expansion_does_not(
    conveyor: Conveyor,
) -> None:
    mapped = {"load": {"outlets": ["orders"], "expand": {"n": [1, 2]}}}
    start_run(save_dag({"load": []}, tasks=mapped, name="shop"))

    def execute(execution: Execution) -> Outcome:
        if execution.is_expansion:
            return Outcome.expanded([{"n": 1}, {"n": 2}])
        return Outcome.success()

    conveyor.script = execute
    conveyor.run()
    assert sorted(AssetEvent.objects.values_list("map_index", flat=True)) == [0, 1]


def test_a_task_whose_end_is_told_twice_makes_one_event(conveyor: Conveyor) -> None:
    start_run(producer(load=["orders"]))
    conveyor.run()
    event = AssetEvent.objects.get()
    again = AssetEvent(asset="orders", task_run=event.task_run, epoch=event.epoch, emitted_by="x")
    with pytest.raises(IntegrityError, match="one_event_per_execution"):
        again.save()


# ---------------------------------------------------------------- runs


def test_from_producer_to_consumer(conveyor: Conveyor) -> None:
    report = consumer()
    start_run(producer(load=["orders"]))
    conveyor.run()
    scheduling.tick()
    (run,) = runs_of(report)
    conveyor.run()
    assert states(run) == {"read": "success"}
    assert (run.run_type, run.logical_date) == (RunType.ASSET_TRIGGERED, None)
    (event,) = events_of_run(run)
    assert (event.asset, event.dag_id) == ("orders", "shop")
    assert triggering_events(run.pk)["orders"][0]["source_task_id"] == "load"


def test_all_are_waited_for_and_several_of_one_count_once() -> None:
    report = consumer(schedule={"assets": ["orders", "rates"]})
    make_new("orders", "orders")
    assert assets.start_runs() == 0
    assert waiting_events(report).count() == 2
    make_new("rates")
    assert assets.start_runs() == 1
    (run,) = runs_of(report)
    assert events_of_run(run).count() == 3
    assert run.data_interval_start
    assert run.data_interval_end
    assert run.data_interval_start < run.data_interval_end
    make_new("rates")
    assert assets.start_runs() == 0


def test_any_starts_at_each_event_that_is_seen() -> None:
    report = consumer(schedule={"any_asset": ["orders", "rates"]})
    make_new("orders")
    assert assets.start_runs() == 1
    make_new("rates", "orders")
    assert assets.start_runs() == 1
    first, second = runs_of(report)
    assert second.data_interval_start == first.data_interval_end
    assert set(triggering_events(second.pk)) == {"orders", "rates"}


def test_other_assets_and_other_dags_are_left_alone() -> None:
    report, other = consumer(), consumer("other", schedule={"assets": ["rates"]})
    make_new("orders", "nobody_waits_for_this")
    assert assets.start_runs() == 1
    assert (len(runs_of(report)), len(runs_of(other))) == (1, 0)


def test_while_a_dag_is_paused_nothing_is_put_by_for_it() -> None:
    report = consumer()
    make_new("orders")
    pausing.pause(report)
    assert assets.start_runs() == 0
    make_new("orders")
    assert waiting_events(report).count() == 1
    pausing.resume(report)
    assert assets.start_runs() == 1
    assert events_of_run(runs_of(report)[0]).count() == 1


def test_outside_of_its_dates_nothing_is_put_by_for_it() -> None:
    soon = (timezone.now() + timedelta(days=1)).isoformat()
    report = consumer(start_date=soon)
    make_new("orders")
    assert not waiting_events(report).exists()


def test_more_than_may_run_at_once_wait() -> None:
    report = consumer(max_active_runs=1)
    for _ in range(2):
        make_new("orders")
        assets.start_runs()
    assert sorted(run.state for run in runs_of(report)) == ["queued", "running"]


@pytest.mark.parametrize(
    ("policy", "expected", "skipped"),
    [
        ("skip", ["running"], 1),
        ("buffer_one", ["queued", "running"], 0),
        ("cancel_other", ["cancelled", "running"], 0),
    ],
)
def test_what_overlaps_is_decided_by_the_policy(
    policy: str, expected: list[str], skipped: int
) -> None:
    report = consumer(overlap_policy=policy)
    for _ in range(2):
        make_new("orders")
        assets.start_runs()
    scheduling.tick()
    found = sorted(run.state for run in runs_of(report))
    assert found == expected or (policy == "cancel_other" and "cancelling" in found)
    assert SkippedTick.objects.count() == skipped
    assert not waiting_events(report).exists()


def test_a_deleted_events_run_keeps_its_story() -> None:
    report = consumer()
    make_new("orders", "rates")
    assets.start_runs()
    retention.prune(keep=timedelta(0))
    assert not AssetEvent.objects.filter(asset="rates").exists()
    assert len(runs_of(report)) == 1


def test_what_waits_is_not_forgotten() -> None:
    report = consumer(schedule={"assets": ["orders", "rates"]})
    make_new("orders")
    retention.prune(keep=timedelta(0))
    assert waiting_events(report).count() == 1


def test_four_ticks_at_once_make_one_run() -> None:
    report = consumer()
    make_new("orders")
    done: list[int] = []

    def work() -> None:
        try:
            done.append(assets.start_runs())
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(done) == 4, what="all have looked")
    for thread in threads:
        thread.join()
    assert (sum(done), len(runs_of(report))) == (1, 1)
    assert not AssetDelivery.objects.filter(is_new=True).exists()


# ---------------------------------------------------------------- what there is


def test_assets_are_listed_with_who_makes_and_who_waits() -> None:
    consumer()
    producer(load=["orders", "rates"])
    make_new("orders")
    orders, rates = known_assets(Operator(), limit=10)
    assert (orders.name, orders.producers, orders.consumers) == ("orders", ["shop"], ["report"])
    assert orders.last_event_at is not None
    assert (rates.name, rates.consumers, rates.last_event_at) == ("rates", [], None)


@pytest.mark.parametrize(
    "schedule", [{"any_asset": ["orders", "x"]}, {"assets": ["orders"]}], ids=["any", "all"]
)
def test_a_dag_that_would_start_itself_for_ever_is_refused(schedule: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        parse(document({"a": []}, schedule=schedule, tasks={"a": {"outlets": ["orders"]}}))
    (problem,) = refused.value.problems
    assert (problem.path, problem.code) == ("schedule", "own_assets")


@pytest.mark.parametrize(
    ("asset", "extra", "path"),
    [("", {}, "asset"), ("a" * 251, {}, "asset"), ("a", {"x": "y" * 20_000}, "extra")],
)
def test_what_cannot_be_noted_is_refused(asset: str, extra: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as refused:
        assets.emit(asset, extra=extra, actor="test")
    assert [problem.path for problem in refused.value.problems] == [path]
    assert not AssetEvent.objects.exists()
