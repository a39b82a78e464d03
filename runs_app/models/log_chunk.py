from __future__ import annotations

from django.db import models

from skytrail.database.fields import CreatedAtField, KeyField


class LogChunk(models.Model):
    """A piece of what an execution wrote, in the order of `sequence`."""

    id = KeyField()
    task_run = models.ForeignKey(
        "runs_app.TaskRun", on_delete=models.CASCADE, related_name="log_chunks", db_index=False
    )
    epoch = models.PositiveIntegerField(help_text="The execution it is from.")
    sequence = models.PositiveIntegerField()
    text = models.TextField()
    written_at = CreatedAtField()

    class Meta:
        db_table = "skytrail_log_chunk"
        ordering = ["epoch", "sequence"]
        constraints = [
            models.UniqueConstraint(
                fields=["task_run", "epoch", "sequence"], name="one_log_chunk_per_place"
            )
        ]

    def __str__(self) -> str:
        return f"chunk {self.sequence}"
