"""The dozen DAGs that the demo leaves for a look."""

from __future__ import annotations

import statistics
from datetime import datetime, timedelta

import pytest

from dags_app.models import Dag, DagVersion
from runs_app.domain.states import TaskState
from runs_app.models import (
    AssetEvent,
    Backfill,
    DagRun,
    DeadLetter,
    SkippedTick,
    TaskRun,
    Transition,
)
from skytrail.cli.seeding.stories import STORIES, begun, plant_stories
from skytrail.database.clock import database_now
from tests.cli.conftest import CommandLine

pytestmark = pytest.mark.usefixtures("committing")


@pytest.fixture
def now(committing: None) -> datetime:
    """When the stories were told."""
    moment = database_now()
    plant_stories(moment)
    return moment


def test_fsck_has_nothing_to_say(now: datetime, command: CommandLine) -> None:
    found = command("fsck", "--all", "-o", "json").json
    assert found["breaches"] == []
    assert found["runs"] == DagRun.objects.count() > 500


def test_each_has_its_story(now: datetime) -> None:
    def runs(name: str) -> list[DagRun]:
        return list(DagRun.objects.filter(dag__dag_id=name).order_by("queued_at"))

    assert Dag.objects.count() == len(STORIES) >= 12
    assert {run.state for run in runs("invoices_report")[-3:]} == {"failed"}
    assert "success" in {run.state for run in runs("invoices_report")[:-4]}
    took = [
        (run.finished_at - run.started_at).total_seconds()
        for run in runs("forecast_models")
        if run.finished_at and run.started_at
    ]
    assert statistics.median(took[-7:]) > 2 * statistics.median(took[:7])
    assert DeadLetter.objects.filter(dag__dag_id="invoices_report", task_id="totals").exists()
    assert TaskRun.objects.filter(dag__dag_id="photos_resize", map_index=11).exists()
    assert TaskRun.objects.filter(dag__dag_id="payments_check", attempt__gt=2).exists()
    assert Transition.objects.filter(reason="cleared").exists()
    assert Transition.objects.filter(to_state=TaskState.UP_FOR_RESCHEDULE).exists()
    events = AssetEvent.objects.filter(asset="orders", dag_id="orders_import")
    published = TaskRun.objects.filter(dag__dag_id="orders_import", task_id="publish")
    assert events.count() == published.filter(state=TaskState.SUCCESS).count() > 100
    assert SkippedTick.objects.filter(dag__dag_id="meters_read").exists()
    assert Backfill.objects.count() == 1
    assert DagVersion.objects.filter(dag__dag_id="catalog_refresh").count() == 5


def test_what_is_begun_for_real_is_there_and_nothing_is_due(now: datetime) -> None:
    assert set(begun()) <= {dag.dag_id for dag in Dag.objects.all()}
    assert not DagRun.objects.filter(finished_at=None).exists()
    long_due = now - timedelta(minutes=20)
    assert not Dag.objects.filter(paused=False, next_run_at__lt=long_due).exists()
