"""The periodic jobs are rows of django-celery-beat, there after each migration."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db.models.signals import post_migrate
from django_celery_beat.models import PeriodicTask

from workers import ticks

pytestmark = pytest.mark.django_db


def migrated() -> None:
    """What Django says when migrations have been made."""
    beat = apps.get_app_config("django_celery_beat")
    post_migrate.send(sender=beat, app_config=beat, verbosity=0, interactive=False, using="default")


def test_a_new_database_has_every_job() -> None:
    rows = PeriodicTask.objects.filter(name__startswith="skytrail: ")
    assert {row.task for row in rows} == {job.task for job in ticks.JOBS}
    every = {row.task: row.interval.every for row in rows}
    assert every == {job.task: job.every for job in ticks.JOBS}


def test_a_job_that_was_deleted_comes_back_with_the_next_migration() -> None:
    PeriodicTask.objects.filter(task=ticks.WAKE.task).delete()
    migrated()
    assert PeriodicTask.objects.filter(task=ticks.WAKE.task).count() == 1


def test_what_somebody_has_changed_stays() -> None:
    PeriodicTask.objects.filter(task=ticks.WAKE.task).update(enabled=False)
    migrated()
    assert PeriodicTask.objects.get(task=ticks.WAKE.task).enabled is False
