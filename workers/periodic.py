"""The periodic jobs as django-celery-beat's rows: visible and editable in the admin."""

from __future__ import annotations

from typing import Any

from django_celery_beat.models import IntervalSchedule, PeriodicTask

from workers import names, ticks


def ensure(**_: Any) -> None:
    """Adds the jobs that are missing, after each migration; what somebody has changed stays."""
    for job in ticks.JOBS:
        interval, _created = IntervalSchedule.objects.get_or_create(
            every=job.every, period=IntervalSchedule.SECONDS
        )
        PeriodicTask.objects.get_or_create(
            name=f"skytrail: {job.name}",
            defaults={
                "task": job.task,
                "interval": interval,
                "queue": names.DISPATCH_QUEUE,
                "priority": 5,
                # A job that has waited longer than this is in the way of its successor.
                "expire_seconds": max(5, job.every),
                "description": job.description,
            },
        )
