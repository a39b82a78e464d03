from __future__ import annotations

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Case, F, Q, Value, When

from dags_app.domain.timing import definition as timing
from dags_app.domain.timing.overlap import ONE_AT_A_TIME, OverlapPolicy
from dags_app.domain.timing.schedule import Timetable
from skytrail.database.fields import CreatedAtField, KeyField
from skytrail.security.subject import Subject


class DagSource(models.TextChoices):
    """The door through which a DAG was last saved."""

    API = "api", "REST API"
    ADMIN = "admin", "admin"
    FILE = "file", "file"


class DagQuerySet(models.QuerySet["Dag"]):
    def present(self) -> Self:
        """Those that have not been deleted."""
        return self.filter(deleted_at=None)

    def visible_to(self, user: Subject) -> Self:
        """Those that `user` may know of."""
        return self.present() if user.has_perm("dags_app.view_dag") else self.none()


class Dag(models.Model):
    """A DAG as people edit it. What runs is always one of its versions."""

    id = KeyField()
    dag_id = models.CharField("name", max_length=250)
    description = models.TextField(blank=True, default="")
    owner = models.CharField(max_length=250, blank=True, default="")
    tags = ArrayField(models.CharField(max_length=100), blank=True, default=list)
    paused = models.BooleanField(
        default=False, help_text="Its schedule is held back; runs can still be triggered."
    )
    schedule = models.JSONField(
        null=True, blank=True, help_text="When it runs by itself, in the canonical form."
    )
    schedule_since = models.DateTimeField(
        null=True, editable=False, help_text="Since when it has had this schedule."
    )
    waits_for = ArrayField(
        models.CharField(max_length=250),
        blank=True,
        default=list,
        editable=False,
        help_text="The assets that its schedule names.",
    )
    timezone = models.CharField("time zone", max_length=100, default="UTC")
    start_date = models.DateTimeField(null=True, blank=True)
    end_date = models.DateTimeField(null=True, blank=True)
    catchup = models.BooleanField(
        default=False, help_text="Make up for every missed tick, not only for the latest."
    )
    catchup_window_seconds = models.PositiveIntegerField(
        null=True, blank=True, help_text="What was missed longer ago is not made up for."
    )
    overlap_policy = models.CharField(
        max_length=20,
        choices=[(policy.value, policy.value) for policy in OverlapPolicy],
        default=OverlapPolicy.ALLOW.value,
    )
    max_active_runs = models.PositiveIntegerField(default=16)
    runs_at_once = models.GeneratedField(
        expression=Case(
            When(
                overlap_policy__in=sorted(policy.value for policy in ONE_AT_A_TIME), then=Value(1)
            ),
            default=F("max_active_runs"),
            output_field=models.PositiveIntegerField(),
        ),
        output_field=models.PositiveIntegerField(),
        db_persist=True,
        help_text="How many of its runs may be running at once, all considered.",
    )
    max_active_tasks = models.PositiveIntegerField(null=True, blank=True)
    run_timeout_seconds = models.FloatField(null=True, blank=True)
    fail_fast = models.BooleanField(
        default=False, help_text="The first failure ends a run: the rest is stopped or skipped."
    )
    params = models.JSONField(
        blank=True, default=dict, help_text="For each parameter a JSON Schema, with its default."
    )
    next_run_at = models.DateTimeField(
        null=True, editable=False, help_text="The next tick of its schedule that has no run yet."
    )
    last_logical_date = models.DateTimeField(
        null=True, editable=False, help_text="The last tick of its schedule that has a run."
    )
    source = models.CharField(
        max_length=10, choices=DagSource.choices, default=DagSource.API, editable=False
    )
    source_root = models.TextField(
        default="", editable=False, help_text="The folder that was synced, if it is from a file."
    )
    source_path = models.TextField(
        default="", editable=False, help_text="Its file, below that folder."
    )
    source_commit = models.CharField(
        max_length=100, default="", editable=False, help_text="The git commit of that file."
    )
    gone_at = models.DateTimeField(
        null=True, editable=False, help_text="Since when no file defines it any more."
    )
    paused_before_gone = models.BooleanField(default=False, editable=False)
    version = models.ForeignKey(
        "dags_app.DagVersion",
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        help_text="The version that new runs use.",
    )
    next_version_at = models.DateTimeField(
        null=True, editable=False, help_text="When another version takes over, if one is to."
    )
    created_at = CreatedAtField()
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = DagQuerySet.as_manager()

    class Meta:
        db_table = "skytrail_dag"
        verbose_name = "DAG"
        verbose_name_plural = "DAGs"
        permissions = [("run_dag", "Can trigger, cancel and clear runs of a DAG")]
        constraints = [
            # A deleted DAG keeps its history; its name is free again.
            models.UniqueConstraint(
                fields=["dag_id"], condition=Q(deleted_at=None), name="one_dag_per_name"
            ),
            models.CheckConstraint(
                condition=Q(max_active_runs__gte=1), name="dag_max_active_runs_positive"
            ),
        ]
        indexes = [
            # Serves the schedule tick: which DAGs are due?
            models.Index(
                fields=["next_run_at"],
                condition=Q(next_run_at__isnull=False, paused=False, deleted_at=None),
                name="dag_due",
            ),
            # Serves the taking over of versions whose time has come.
            models.Index(
                fields=["next_version_at"],
                condition=Q(next_version_at__isnull=False),
                name="dag_next_version",
            ),
            # Serves lists filtered by tag.
            GinIndex(fields=["tags"], name="dag_tags"),
            # Serves syncing: which DAGs come from this folder?
            models.Index(
                fields=["source_root"],
                condition=Q(deleted_at=None) & ~Q(source_root=""),
                name="dag_source_root",
            ),
            # Serves what an asset's update starts: which DAGs wait for it?
            GinIndex(fields=["waits_for"], name="dag_waits_for"),
        ]

    def __str__(self) -> str:
        return self.dag_id

    @property
    def is_from_file(self) -> bool:
        """Whether a file defines it, which is then the only place to change it."""
        return bool(self.source_root) and self.gone_at is None

    @property
    def timetable(self) -> Timetable | None:
        """Its schedule as the clock computes with it; None where the clock has no part in it."""
        if self.schedule is None:
            return None
        return timing.timetable(
            timing.read(self.schedule),
            timezone=self.timezone,
            anchor=self.start_date or self.schedule_since or self.created_at,
        )

    @property
    def timetable_summary(self) -> str:
        """Its schedule in a few words; empty where it has none."""
        return "" if self.schedule is None else str(timing.read(self.schedule))

    @property
    def is_continuous(self) -> bool:
        """Whether a run begins whenever the one before has ended."""
        return self.schedule is not None and "continuous" in self.schedule

    @property
    def cron(self) -> str | None:
        """Its cron expression, where it has one and no others."""
        written = (self.schedule or {}).get("cron")
        return written if isinstance(written, str) else None

    @property
    def interval_seconds(self) -> int | None:
        """The seconds from run to run, where that is its schedule."""
        seconds: int | None = (self.schedule or {}).get("interval_seconds")
        return seconds
