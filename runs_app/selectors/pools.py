"""Pools, and how much of each is taken."""

from __future__ import annotations

from django.db.models import IntegerField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from runs_app.domain.states import ACTIVE, TaskState
from runs_app.models import Pool, TaskRun


def pools_with_usage() -> QuerySet[Pool]:
    """Pools with `occupied_slots` (queued or running) and `waiting_slots` (ready, not admitted)."""
    of_pool = TaskRun.objects.filter(is_gated=True, pool=OuterRef("name"))

    def slots(tasks: QuerySet[TaskRun]) -> Coalesce:
        total = tasks.order_by().values("pool").annotate(total=Sum("pool_slots")).values("total")
        return Coalesce(Subquery(total, output_field=IntegerField()), 0)

    return Pool.objects.annotate(
        occupied_slots=slots(of_pool.filter(state__in=sorted(ACTIVE))),
        waiting_slots=slots(of_pool.filter(state=TaskState.WAITING, ready_at__isnull=False)),
    )
