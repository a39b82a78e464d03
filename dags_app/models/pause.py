from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from skytrail.database.fields import KeyField


class DagPause(models.Model):
    """A stretch of time during which a DAG was paused, and by whom; open while it still is.

    What `Dag.paused` says now is what counts: this is only there to explain the past.
    """

    id = KeyField()
    dag = models.ForeignKey(
        "dags_app.Dag", on_delete=models.CASCADE, related_name="pauses", db_index=False
    )
    paused_at = models.DateTimeField(db_default=Now())
    paused_by = models.CharField(max_length=250, blank=True, default="")
    resumed_at = models.DateTimeField(null=True)
    resumed_by = models.CharField(max_length=250, blank=True, default="")

    class Meta:
        db_table = "skytrail_dag_pause"
        default_permissions = ()
        ordering = ["-paused_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["dag"], condition=Q(resumed_at=None), name="one_open_pause"
            ),
        ]
        # Serves the question whether a DAG was paused at a time, and the list of its audit.
        indexes = [models.Index(fields=["dag", "-paused_at"], name="pause_of_dag")]

    def __str__(self) -> str:
        return self.paused_at.isoformat()
