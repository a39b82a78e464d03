from __future__ import annotations

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from runs_app.domain.states import TaskState
from skytrail.database.fields import CreatedAtField, KeyField
from skytrail.security.subject import Subject


class ApprovalQuerySet(models.QuerySet["Approval"]):
    def visible_to(self, user: Subject) -> Self:
        """Those whose DAG `user` may know of."""
        return self if user.has_perm("dags_app.view_dag") else self.none()

    def pending(self) -> Self:
        """Those that somebody still waits for: what was cleared or cancelled meanwhile is void."""
        return self.filter(
            choice=None, task_run__state=TaskState.DEFERRED, task_run__attempt=F("attempt")
        )

    def shown(self) -> Self:
        """With the names of task, run and DAG beside them."""
        return self.select_related("task_run", "task_run__run", "task_run__dag").only(
            *(field.name for field in self.model._meta.concrete_fields),  # noqa: SLF001  # Django's own way
            *("task_run__task_id", "task_run__map_index", "task_run__state", "task_run__attempt"),
            *("task_run__run__run_id", "task_run__dag__dag_id"),
        )


class Approval(models.Model):
    """A question that a task run has asked: what may be chosen, and what was, by whom and why."""

    id = KeyField()
    task_run = models.ForeignKey(
        "runs_app.TaskRun", on_delete=models.CASCADE, related_name="approvals", db_index=False
    )
    attempt = models.PositiveIntegerField(help_text="The try that asks.")
    subject = models.CharField(max_length=500)
    body = models.TextField(blank=True, default="")
    options = ArrayField(models.CharField(max_length=100))
    assigned_users = ArrayField(models.CharField(max_length=250), default=list, blank=True)
    requested_at = CreatedAtField()
    times_out_at = models.DateTimeField(null=True)
    choice = models.CharField(max_length=100, null=True)  # noqa: DJ001  # null: not decided
    decided_by = models.CharField(max_length=250, blank=True, default="")
    note = models.TextField(blank=True, default="", help_text="Why.")
    decided_at = models.DateTimeField(null=True)

    objects = ApprovalQuerySet.as_manager()

    class Meta:
        db_table = "skytrail_approval"
        default_permissions = ()
        ordering = ["-requested_at"]
        constraints = [
            models.UniqueConstraint(fields=["task_run", "attempt"], name="one_approval_per_try"),
            models.CheckConstraint(
                condition=Q(choice=None, decided_at=None)
                | Q(choice__isnull=False, decided_at__isnull=False),
                name="approval_decided_iff_chosen",
            ),
        ]
        indexes = [
            # Serves the list of what waits for an answer.
            models.Index(
                fields=["-requested_at"], condition=Q(choice=None), name="approval_undecided"
            ),
            # Serves the wake tick: what has been answered lately?
            models.Index(
                fields=["decided_at"], condition=Q(choice__isnull=False), name="approval_decided"
            ),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def is_pending(self) -> bool:
        """Whether an answer would still be heard."""
        return (
            self.choice is None
            and self.task_run.state == TaskState.DEFERRED
            and self.task_run.attempt == self.attempt
        )
