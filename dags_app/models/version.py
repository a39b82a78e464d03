from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from dags_app.domain.commands import TaskType
from dags_app.models.dag import DagSource
from dags_app.models.task import TaskSettings
from skytrail.database.fields import CreatedAtField, KeyField


class DagVersion(models.Model):
    """A DAG's definition as it stood when it was saved. Never changed; runs keep theirs."""

    id = KeyField()
    dag = models.ForeignKey(
        "dags_app.Dag", on_delete=models.CASCADE, related_name="versions", db_index=False
    )
    number = models.PositiveIntegerField()
    format = models.PositiveIntegerField()
    spec = models.JSONField(help_text="The canonical form.")
    fail_fast = models.BooleanField(default=False)
    checksum = models.CharField(max_length=64, help_text="SHA-256 of the canonical form.")
    author = models.CharField(max_length=250, blank=True, default="")
    source = models.CharField(max_length=10, choices=DagSource.choices)
    commit = models.CharField(max_length=100, blank=True, default="")
    note = models.CharField(
        max_length=500, blank=True, default="", help_text="What it is about, for people."
    )
    effective_from = models.DateTimeField(db_default=Now(), help_text="Since when it holds.")
    created_at = CreatedAtField()

    class Meta:
        db_table = "skytrail_dag_version"
        verbose_name = "DAG version"
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["dag", "number"], name="one_version_per_number"),
        ]
        indexes = [
            # Serves the question which one holds at a time.
            models.Index(fields=["dag", "effective_from"], name="version_effective"),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"


class VersionTask(TaskSettings):
    """One task of a version, laid out for SQL: what a run's rows are made from.

    `position` is its place in a topological order; `upstream` holds positions.
    """

    id = KeyField()
    version = models.ForeignKey(
        DagVersion, on_delete=models.CASCADE, related_name="tasks", db_index=False
    )
    position = models.PositiveIntegerField()
    task_id = models.CharField(max_length=250)
    type = models.CharField(max_length=50, choices=[(kind.value, kind.value) for kind in TaskType])
    command = models.ForeignKey(
        "dags_app.Command", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    upstream = ArrayField(models.IntegerField(), default=list)
    is_gated = models.BooleanField(
        help_text="It needs a slot: of a pool, or of the DAG's max_active_tasks."
    )
    stops_all = models.BooleanField(
        default=False,
        help_text="Where it decides that nothing follows, that holds for all behind it.",
    )

    class Meta:
        db_table = "skytrail_version_task"
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["version", "position"], name="one_task_per_position"),
        ]
        indexes = [
            # Serves the timers: does any task at all have this limit?
            models.Index(
                fields=["queued_timeout_seconds"],
                condition=Q(queued_timeout_seconds__isnull=False),
                name="version_task_queued_timeout",
            ),
        ]

    def __str__(self) -> str:
        return self.task_id
