"""Which workers are there."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import BooleanField, Case, QuerySet, Value, When
from django.db.models.functions import Now

from runs_app.models import Worker


def workers_with_status() -> QuerySet[Worker]:
    """Workers with `is_active`: not stopped, and heard of within half a lease."""
    silence = timedelta(seconds=max(10.0, settings.SKYTRAIL_LEASE_SECONDS / 2))
    return Worker.objects.annotate(
        is_active=Case(
            When(stopped_at=None, last_heartbeat__gte=Now() - silence, then=Value(value=True)),
            default=Value(value=False),
            output_field=BooleanField(),
        )
    ).order_by("name")
