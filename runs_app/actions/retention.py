"""Forgetting runs that ended long ago, with their tasks, logs, outputs and history, and what has
become of ticks and backfills as long ago.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from runs_app.models import AssetDelivery, AssetEvent, Backfill, DagRun, SkippedTick, Transition

#: Runs deleted in one transaction.
BATCH = 100


def prune(*, keep: timedelta) -> int:
    """Deletes the runs that ended longer ago than `keep`; how many that were."""
    SkippedTick.objects.filter(at__lt=Now() - keep).delete()
    waiting = AssetDelivery.objects.filter(event=OuterRef("pk"), run=None)
    AssetEvent.objects.filter(~Exists(waiting), at__lt=Now() - keep).delete()
    Backfill.objects.filter(finished_at__lt=Now() - keep).delete()
    deleted = 0
    while True:
        with transaction.atomic():
            old = list(
                DagRun.objects.filter(finished_at__lt=Now() - keep)
                .order_by("finished_at")
                .select_for_update(skip_locked=True)
                .values_list("pk", flat=True)[:BATCH]
            )
            if not old:
                return deleted
            with connection.cursor() as cursor:
                # The one place that may delete history: the trigger looks for this.
                cursor.execute("SET LOCAL skytrail.retention = 'on'")
            Transition.objects.filter(run__in=old).delete()
            DagRun.objects.filter(pk__in=old).delete()
        deleted += len(old)
