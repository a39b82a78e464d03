from __future__ import annotations

from django.db import models

from runs_app.domain.named_outputs import RETURN_VALUE
from skytrail.database.fields import CreatedAtField, KeyField


class Output(models.Model):
    """A value that an execution left for later tasks: up to 64 KiB of JSON.

    What is not parted into named outputs has the name `return_value`.
    """

    id = KeyField()
    task_run = models.ForeignKey(
        "runs_app.TaskRun", on_delete=models.CASCADE, related_name="outputs", db_index=False
    )
    epoch = models.PositiveIntegerField(help_text="The execution it is from.")
    name = models.CharField(max_length=250, default=RETURN_VALUE)
    value = models.JSONField()
    created_at = CreatedAtField()

    class Meta:
        db_table = "skytrail_output"
        constraints = [
            models.UniqueConstraint(
                fields=["task_run", "epoch", "name"], name="one_output_per_name"
            )
        ]

    def __str__(self) -> str:
        return self.name
