from __future__ import annotations

from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Count, Q

from dags_app.domain.timing.definition import read, timetable
from dags_app.domain.timing.schedule import ContinuousSchedule, Schedule
from runs_app.domain.backfills import UNFINISHED, BackfillState, Reprocess, Treatment
from runs_app.domain.states import RUN_UNFINISHED, RunState
from skytrail.database.fields import CreatedAtField, KeyField
from skytrail.security.subject import Subject

#: Those entries whose run is the backfill's own doing.
_OWN = Q(entries__treatment__in=[Treatment.CREATED, Treatment.RERUN])


class BackfillQuerySet(models.QuerySet["Backfill"]):
    def visible_to(self, user: Subject) -> Self:
        """Those whose DAG `user` may know of."""
        return self if user.has_perm("dags_app.view_dag") else self.none()

    def with_progress(self) -> Self:
        """With their DAGs, and counts of dates seen to and of their runs by state."""

        def entries(**conditions: Any) -> Count:
            return Count("entries", filter=Q(**conditions) if conditions else None)

        def own(state: str) -> Count:
            return Count("entries", filter=_OWN & Q(entries__run__state=state))

        return self.select_related("dag").annotate(
            seen_to=entries(),
            created=entries(entries__treatment=Treatment.CREATED),
            rerun=entries(entries__treatment=Treatment.RERUN),
            passed_over=entries(entries__treatment=Treatment.PASSED_OVER),
            active=Count(
                "entries", filter=_OWN & Q(entries__run__state__in=sorted(RUN_UNFINISHED))
            ),
            succeeded=own(RunState.SUCCESS),
            failed=own(RunState.FAILED),
            cancelled=own(RunState.CANCELLED),
        )


class Backfill(models.Model):
    """A stretch of a DAG's schedule that is made up for.

    `schedule`, `timezone` and `anchor` are the DAG's as they were when it was made: its dates are
    those that were shown then, whatever becomes of the DAG.
    """

    id = KeyField()
    dag = models.ForeignKey(
        "dags_app.Dag", on_delete=models.PROTECT, related_name="backfills", db_index=False
    )
    from_date = models.DateTimeField()
    to_date = models.DateTimeField()
    schedule = models.JSONField()
    timezone = models.CharField(max_length=100)
    anchor = models.DateTimeField()
    dates = models.PositiveIntegerField(
        null=True, help_text="How many there are; null where they are too many to be counted."
    )
    reprocess_behavior = models.CharField(
        max_length=20, choices=[(each, each) for each in Reprocess], default=Reprocess.NONE.value
    )
    max_active_runs = models.PositiveIntegerField(default=10)
    run_backwards = models.BooleanField(default=False, help_text="The newest date first.")
    task_ids = ArrayField(
        models.CharField(max_length=250), null=True, help_text="Only these tasks; null for all."
    )
    conf = models.JSONField(default=dict)
    state = models.CharField(
        max_length=20,
        choices=[(state, state) for state in BackfillState],
        default=BackfillState.RUNNING.value,
    )
    reached = models.DateTimeField(null=True, help_text="The last date that was seen to.")
    is_through = models.BooleanField(
        default=False, help_text="Every date was seen to; runs may still be under way."
    )
    created_by = models.CharField(max_length=250)
    created_at = CreatedAtField()
    finished_at = models.DateTimeField(null=True)

    objects = BackfillQuerySet.as_manager()

    class Meta:
        db_table = "skytrail_backfill"
        constraints = [
            # Serves the tick too: which backfills go on?
            models.UniqueConstraint(
                fields=["dag"],
                condition=Q(state__in=sorted(state.value for state in UNFINISHED)),
                name="one_backfill_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(max_active_runs__gte=1), name="backfill_max_active_runs_positive"
            ),
        ]
        indexes = [models.Index(fields=["-created_at", "-id"], name="backfill_newest")]

    def __str__(self) -> str:
        return f"{self.from_date.isoformat()} to {self.to_date.isoformat()}"

    @property
    def timetable(self) -> Schedule:
        """What its dates are computed with."""
        found = timetable(read(self.schedule), timezone=self.timezone, anchor=self.anchor)
        assert found is not None
        assert not isinstance(found, ContinuousSchedule)
        return found


class BackfillRun(models.Model):
    """What one date of a backfill came to."""

    id = KeyField()
    backfill = models.ForeignKey(
        Backfill, on_delete=models.CASCADE, related_name="entries", db_index=False
    )
    logical_date = models.DateTimeField()
    run = models.ForeignKey(
        "runs_app.DagRun",
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        help_text="The run that was created, run again or found there; null once it is deleted.",
    )
    treatment = models.CharField(max_length=20, choices=[(each, each) for each in Treatment])

    class Meta:
        db_table = "skytrail_backfill_run"
        ordering = ["logical_date"]
        constraints = [
            models.UniqueConstraint(fields=["backfill", "logical_date"], name="one_entry_per_date"),
        ]

    def __str__(self) -> str:
        return self.logical_date.isoformat()
