from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from runs_app.domain.states import ACTIVE, FINAL, LEASED, SLEEPING, TaskState
from skytrail.database.fields import CreatedAtField, KeyField


class TaskRun(models.Model):
    """One task (and map index) of a run: where it stands now."""

    id = KeyField()
    run = models.ForeignKey(
        "runs_app.DagRun", on_delete=models.CASCADE, related_name="task_runs", db_index=False
    )
    version_task = models.ForeignKey(
        "dags_app.VersionTask", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    dag = models.ForeignKey(
        "dags_app.Dag", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    task_id = models.CharField(max_length=250)
    position = models.IntegerField(help_text="The task's place in the version.")
    map_index = models.IntegerField(default=-1)
    map_values = models.JSONField(
        null=True, help_text="Of an instance of a mapped task: the values that it is for."
    )
    map_length = models.PositiveIntegerField(
        null=True, help_text="Of a mapped task that has been expanded: how many instances it has."
    )
    state = models.CharField(max_length=20, choices=[(state, state) for state in TaskState])
    attempt = models.PositiveIntegerField(
        default=0, help_text="Which try this is, from 1; losing a worker does not count."
    )
    max_attempts = models.PositiveIntegerField(default=1)
    epoch = models.PositiveIntegerField(
        default=0, help_text="The fencing token: raised by every new execution, recovery and clear."
    )
    lost_count = models.PositiveIntegerField(default=0)
    chosen = ArrayField(
        models.CharField(max_length=250),
        null=True,
        help_text="The tasks that a branch went on with.",
    )
    queue = models.CharField(max_length=250)
    pool = models.CharField(max_length=250, null=True)  # noqa: DJ001  # null: no pool
    pool_slots = models.PositiveIntegerField(default=1)
    is_gated = models.BooleanField(
        default=False, help_text="It needs a slot: of a pool, or of its DAG's max_active_tasks."
    )
    priority = models.IntegerField(default=0)
    worker = models.CharField(max_length=250, blank=True, default="")
    ready_at = models.DateTimeField(
        null=True, help_text="Since when only a free slot is missing (gated tasks)."
    )
    queued_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)
    publish_count = models.PositiveIntegerField(default=0)
    wake_at = models.DateTimeField(null=True)
    waiting_since = models.DateTimeField(
        null=True, help_text="When this try first looked for what it waits for."
    )
    lease_expires_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    dropped_at = models.DateTimeField(
        null=True, help_text="When somebody took it off the list of dead letters."
    )

    class Meta:
        db_table = "skytrail_task_run"
        constraints = [
            # Serves every look at a run's tasks too.
            models.UniqueConstraint(
                fields=["run", "position", "map_index"], name="one_task_run_per_place"
            ),
            models.CheckConstraint(
                condition=Q(state__in=sorted(FINAL), finished_at__isnull=False)
                | (~Q(state__in=sorted(FINAL)) & Q(finished_at__isnull=True)),
                name="task_run_finished_iff_final",
            ),
            models.CheckConstraint(
                condition=Q(state__in=sorted(LEASED), lease_expires_at__isnull=False)
                | (~Q(state__in=sorted(LEASED)) & Q(lease_expires_at__isnull=True)),
                name="task_run_leased_iff_running",
            ),
        ]
        # A state change adds an entry to every index of the row: each here earns its place.
        indexes = [
            # Serves recovery: what is queued, per queue, oldest first?
            models.Index(
                fields=["queue", "published_at"],
                condition=Q(state=TaskState.QUEUED),
                name="task_run_queued",
            ),
            # Serves recovery: whose lease ran out?
            models.Index(
                fields=["lease_expires_at"],
                condition=Q(state__in=sorted(LEASED)),
                name="task_run_leased",
            ),
            # Serves the wake tick.
            models.Index(
                fields=["wake_at"],
                condition=Q(state__in=sorted(SLEEPING)),
                name="task_run_sleeping",
            ),
            # Serves admission: who waits for a slot, and who holds one?
            models.Index(
                fields=["pool", "dag"],
                condition=Q(is_gated=True)
                & (
                    Q(state__in=sorted(ACTIVE)) | Q(state=TaskState.WAITING, ready_at__isnull=False)
                ),
                name="task_run_gated",
            ),
            # Serves the list of dead letters, newest first.
            models.Index(
                fields=["-finished_at", "-id"],
                condition=Q(state=TaskState.FAILED, dropped_at__isnull=True),
                name="task_run_dead",
            ),
        ]

    def __str__(self) -> str:
        """Its name for people: of an instance of a mapped task `load[3]`."""
        return self.task_id if self.map_index < 0 else f"{self.task_id}[{self.map_index}]"


class Attempt(models.Model):
    """One execution of a task run, kept: one row per epoch that a worker claimed."""

    id = KeyField()
    task_run = models.ForeignKey(
        TaskRun, on_delete=models.CASCADE, related_name="attempts", db_index=False
    )
    epoch = models.PositiveIntegerField()
    number = models.PositiveIntegerField(help_text="Which try it was, from 1.")
    worker = models.CharField(max_length=250)
    state = models.CharField(
        max_length=20,
        choices=[(state, state) for state in TaskState],
        help_text="How the execution ended; running while it has not.",
    )
    reason = models.CharField(max_length=50, blank=True, default="")
    message = models.TextField(blank=True, default="")
    exit_code = models.IntegerField(null=True)
    started_at = CreatedAtField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "skytrail_attempt"
        ordering = ["epoch"]
        constraints = [
            models.UniqueConstraint(fields=["task_run", "epoch"], name="one_attempt_per_epoch"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number}"
