from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Case, Q, When
from django.db.models.functions import Now

from skytrail.database.fields import CreatedAtField, KeyField
from skytrail.security.subject import Subject

_IS_GONE = Case(
    When(Q(removed_at__isnull=False) | Q(expires_at__lte=Now()), then=True), default=False
)


class ArtifactQuerySet(models.QuerySet["Artifact"]):
    def visible_to(self, user: Subject) -> Self:
        """Those of DAGs that `user` may see."""
        return self if user.has_perm("dags_app.view_dag") else self.none()

    def shown(self) -> Self:
        """Those that were kept as a whole, with the run that they are of."""
        kept = self.filter(stored_at__isnull=False, task_run__isnull=False)
        return kept.select_related("task_run__run__dag").annotate(is_gone=_IS_GONE)


class Artifact(models.Model):
    """Something large that an execution left: its content is in the artifact store.

    The row is there before the content, and as long as that may be: so nothing is left behind that
    nobody knows of.
    """

    id = KeyField()
    task_run = models.ForeignKey(
        "runs_app.TaskRun",
        on_delete=models.SET_NULL,
        null=True,
        related_name="artifacts",
        help_text="Null when its run is deleted: the content goes next.",
    )
    epoch = models.PositiveIntegerField(help_text="The execution it is from.")
    name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=200)
    key = models.CharField(max_length=600, help_text="Where it is in the store.")
    is_output = models.BooleanField(
        help_text="Whether it is an output that is too large for a row, and no file."
    )
    size = models.BigIntegerField(null=True, help_text="Bytes.")
    sha256 = models.CharField(max_length=64, blank=True, default="", db_default="")
    created_at = CreatedAtField()
    stored_at = models.DateTimeField(null=True, help_text="Null until all of it is in the store.")
    expires_at = models.DateTimeField(null=True, help_text="Null: with its run.")
    removed_at = models.DateTimeField(null=True, help_text="When its content was deleted.")

    objects = ArtifactQuerySet.as_manager()

    class Meta:
        db_table = "skytrail_artifact"
        constraints = [
            models.CheckConstraint(
                condition=Q(stored_at__isnull=True) | Q(size__isnull=False),
                name="artifact_has_a_size",
            )
        ]
        indexes = [
            # Serves the sweep.
            models.Index(
                fields=["expires_at"],
                condition=Q(removed_at__isnull=True),
                name="artifact_expiring",
            ),
            models.Index(
                fields=["created_at"],
                condition=Q(task_run__isnull=True) | Q(stored_at__isnull=True),
                name="artifact_left_over",
            ),
        ]

    #: Whether its time is up; of those that are shown.
    is_gone: bool

    def __str__(self) -> str:
        return self.name

    @property
    def until(self) -> str:
        """Until when it is kept, in words."""
        if self.expires_at is None:
            return "its run is deleted"
        return f"{self.expires_at:%Y-%m-%d %H:%M} UTC"
