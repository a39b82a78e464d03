from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from skytrail.database.fields import KeyField


class SkippedTick(models.Model):
    """A time at which a DAG's schedule was due and its overlap policy let nothing begin."""

    id = KeyField()
    dag = models.ForeignKey(
        "dags_app.Dag", on_delete=models.PROTECT, related_name="skipped_ticks", db_index=False
    )
    logical_date = models.DateTimeField()
    reason = models.CharField(max_length=100)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "skytrail_skipped_tick"
        ordering = ["-logical_date"]
        constraints = [
            # Serves a DAG's list of them, newest first.
            models.UniqueConstraint(fields=["dag", "logical_date"], name="one_skip_per_tick"),
        ]
        # Serves retention.
        indexes = [models.Index(fields=["at"], name="skipped_tick_at")]

    def __str__(self) -> str:
        return self.logical_date.isoformat()
