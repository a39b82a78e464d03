from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q, Value

from runs_app.domain.states import RUN_ACTIVE, RUN_FINAL, RunState
from skytrail.database.fields import CreatedAtField, KeyField
from skytrail.security.subject import Subject


class RunType(models.TextChoices):
    """What started a run."""

    SCHEDULED = "scheduled"
    MANUAL = "manual"
    BACKFILL = "backfill"
    ASSET_TRIGGERED = "asset_triggered"
    OPERATOR_TRIGGERED = "operator_triggered"


class DagRunQuerySet(models.QuerySet["DagRun"]):
    def visible_to(self, user: Subject) -> Self:
        """Those whose DAG `user` may know of; of deleted DAGs too: their runs are history."""
        return self if user.has_perm("dags_app.view_dag") else self.none()


class DagRun(models.Model):
    """One run of one version of a DAG."""

    id = KeyField()
    dag = models.ForeignKey(
        "dags_app.Dag", on_delete=models.PROTECT, related_name="runs", db_index=False
    )
    version = models.ForeignKey(
        "dags_app.DagVersion", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    run_id = models.CharField(max_length=250)
    run_type = models.CharField(max_length=20, choices=RunType.choices)
    triggered_by = models.CharField(max_length=250, blank=True, default="")
    state = models.CharField(max_length=20, choices=[(state, state) for state in RunState])
    logical_date = models.DateTimeField(null=True)
    data_interval_start = models.DateTimeField(null=True)
    data_interval_end = models.DateTimeField(null=True)
    conf = models.JSONField(default=dict)
    parent = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        related_name="children",
        db_index=False,
        help_text="The run one of whose tasks has triggered this one.",
    )
    repeats = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        related_name="repeated_by",
        help_text="The run that this one repeats, by a later version.",
    )
    earlier_confs = models.JSONField(
        default=list,
        db_default=Value([], models.JSONField()),
        help_text="The confs before tasks were cleared with another: conf, until when, by whom.",
    )
    note = models.TextField(
        blank=True, default="", db_default="", help_text="What people have to say about it."
    )
    idempotency_key = models.CharField(max_length=250, null=True)  # noqa: DJ001  # null: none given
    queued_at = CreatedAtField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    times_out_at = models.DateTimeField(
        null=True, help_text="When it is stopped if it has not ended by then."
    )
    timed_out = models.BooleanField(
        default=False, db_default=False, help_text="It took too long and was stopped."
    )
    planned_at = models.DateTimeField(
        null=True, help_text="When its whole graph was last planned; recovery looks at the oldest."
    )
    replan_wanted = models.BooleanField(
        default=False, help_text="A task did not succeed, and the dispatcher has been told."
    )
    degraded = models.BooleanField(
        default=False,
        help_text="Recovery has touched it: from then on every task's end calls the dispatcher.",
    )

    objects = DagRunQuerySet.as_manager()

    class Meta:
        db_table = "skytrail_dag_run"
        verbose_name = "DAG run"
        constraints = [
            models.UniqueConstraint(fields=["dag", "run_id"], name="one_run_per_run_id"),
            models.UniqueConstraint(
                fields=["dag", "logical_date"],
                condition=Q(run_type__in=[RunType.SCHEDULED, RunType.BACKFILL]),
                name="one_run_per_logical_date",
            ),
            models.UniqueConstraint(
                fields=["dag", "idempotency_key"],
                condition=Q(idempotency_key__isnull=False),
                name="one_run_per_idempotency_key",
            ),
            models.CheckConstraint(
                condition=Q(state__in=sorted(RUN_FINAL), finished_at__isnull=False)
                | (~Q(state__in=sorted(RUN_FINAL)) & Q(finished_at__isnull=True)),
                name="run_finished_iff_final",
            ),
        ]
        indexes = [
            # Serves the lists of runs, newest first: of all DAGs, and of one.
            models.Index(fields=["-queued_at", "-id"], name="run_newest"),
            models.Index(fields=["dag", "-queued_at", "-id"], name="run_newest_of_dag"),
            # Serves max_active_runs and "which of this DAG's runs are waiting?".
            models.Index(
                fields=["dag", "state", "queued_at"],
                condition=Q(state__in=["queued", *sorted(RUN_ACTIVE)]),
                name="run_unfinished",
            ),
            # Serves recovery: whose graph was looked at longest ago?
            models.Index(
                fields=["planned_at"],
                condition=Q(state__in=sorted(RUN_ACTIVE)),
                name="run_least_recently_planned",
            ),
            # Serves the timers: whose time is up?
            models.Index(
                fields=["times_out_at"],
                condition=Q(times_out_at__isnull=False, timed_out=False, state=RunState.RUNNING),
                name="run_timing_out",
            ),
        ]

    def __str__(self) -> str:
        return self.run_id
