from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from dags_app.domain.commands import TaskType
from dags_app.domain.tasks import TriggerRule
from skytrail.database.fields import KeyField


class TaskSettings(models.Model):
    """How a task is run, whatever it does. The names are those of `TaskFields` in the spec."""

    trigger_rule = models.CharField(
        max_length=50,
        choices=[(rule.value, rule.value) for rule in TriggerRule],
        default=TriggerRule.ALL_SUCCESS.value,
    )
    retries = models.PositiveIntegerField(default=0)
    retry_delay_seconds = models.FloatField(default=300.0)
    retry_exponential_backoff = models.FloatField(
        default=0.0, help_text="The factor by which the delay grows; 0 or 1 keeps it constant."
    )
    max_retry_delay_seconds = models.FloatField(default=86_400.0)
    timeout_seconds = models.FloatField(null=True, blank=True)
    queued_timeout_seconds = models.FloatField(null=True, blank=True)
    memory_limit_mb = models.PositiveIntegerField(null=True, blank=True)
    priority = models.IntegerField(default=0)
    queue = models.CharField(max_length=250, default="default")
    pool = models.CharField(max_length=250, null=True, blank=True)  # noqa: DJ001  # null: no pool
    pool_slots = models.PositiveIntegerField(default=1)
    rerun_on_worker_loss = models.BooleanField(default=True)
    group = models.CharField(max_length=250, null=True, blank=True)  # noqa: DJ001  # null: in none
    setup = models.BooleanField(default=False)
    teardown = models.BooleanField(default=False)
    on_failure_fail_dagrun = models.BooleanField(default=False)
    depends_on_past = models.BooleanField(default=False)
    wait_for_downstream = models.BooleanField(default=False)
    expand = models.JSONField(null=True, blank=True)
    expand_kwargs = models.JSONField(null=True, blank=True)
    max_map_length = models.PositiveIntegerField(default=1024)
    outlets = ArrayField(models.CharField(max_length=250), blank=True, default=list)

    class Meta:
        abstract = True


#: The names of those settings.
SETTINGS = tuple(field.name for field in TaskSettings._meta.fields)  # noqa: SLF001  # Django's own way


class Task(TaskSettings):
    """A task of the blueprint: what the admin edits and SQL can ask about."""

    id = KeyField()
    dag = models.ForeignKey(
        "dags_app.Dag", on_delete=models.CASCADE, related_name="tasks", db_index=False
    )
    task_id = models.CharField("id", max_length=250)
    description = models.CharField(max_length=2000, blank=True, default="")
    type = models.CharField(
        max_length=50,
        choices=[(kind.value, kind.value) for kind in TaskType],
        default=TaskType.EMPTY.value,
    )
    parameters = models.JSONField(
        blank=True, default=dict, help_text='What its type needs, like {"command": "make report"}.'
    )
    position = models.PositiveIntegerField(
        default=0, editable=False, help_text="Its place in the order in which it was written."
    )

    class Meta:
        db_table = "skytrail_task"
        ordering = ["position", "task_id"]
        constraints = [
            models.UniqueConstraint(fields=["dag", "task_id"], name="one_task_per_id"),
        ]

    def __str__(self) -> str:
        return self.task_id


class TaskDependency(models.Model):
    """An edge of the blueprint: `task` waits for `upstream`."""

    id = KeyField()
    task = models.ForeignKey(
        Task, on_delete=models.CASCADE, related_name="dependencies", db_index=False
    )
    upstream = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="dependents")

    class Meta:
        db_table = "skytrail_task_dependency"
        verbose_name_plural = "task dependencies"
        constraints = [
            models.UniqueConstraint(fields=["task", "upstream"], name="one_edge_per_pair"),
            models.CheckConstraint(condition=~Q(task=F("upstream")), name="no_edge_to_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.upstream} → {self.task}"
