"""What Celery could not send on is planned at the next sweep."""

from __future__ import annotations

import pytest
from celery import signals
from celery.utils.dispatch import Signal
from django.db import DatabaseError

from runs_app.models import DagRun
from skytrail.celery import app
from tests.factories import save_dag, start_run, task
from workers import names, tasks
from workers.broker import mending

pytestmark = pytest.mark.usefixtures("db")


@pytest.mark.parametrize("signal", [signals.task_failure, signals.task_internal_error])
def test_a_chain_that_broke_has_its_run_planned(signal: Signal) -> None:
    run = start_run(save_dag({"a": [], "b": ["a"]}))
    other = start_run(save_dag({"a": []}, name="another"))
    DagRun.objects.update(planned_at="2026-01-01T00:00Z")
    first = task(run, "a")
    signal.send(sender=tasks.run, args=[str(first.pk), first.epoch])
    assert DagRun.objects.get(pk=run.pk).planned_at is None
    assert DagRun.objects.get(pk=other.pk).planned_at is not None


def test_a_task_of_somebody_else_may_fail_as_it_likes() -> None:
    run = start_run(save_dag({"a": []}))
    DagRun.objects.update(planned_at="2026-01-01T00:00Z")
    theirs = app.tasks[names.DISPATCH]
    signals.task_failure.send(sender=theirs, args=[str(task(run, "a").pk), 1])
    assert DagRun.objects.get(pk=run.pk).planned_at is not None


def test_where_the_database_is_away_too_it_is_only_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(_: object) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(mending, "want_plan", away)
    mending.have_it_planned(tasks.run, args=["01a1ff7b-1e00-75c9-bd6c-04b36bbefebc", 1])
    assert "could not note that a run is to be planned: gone" in caplog.text
