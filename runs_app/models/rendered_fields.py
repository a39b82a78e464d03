from __future__ import annotations

from django.db import models

from skytrail.database.fields import CreatedAtField, KeyField


class RenderedFields(models.Model):
    """What the templates of a task were filled in to for one execution, secrets masked.

    Only where there were templates.
    """

    id = KeyField()
    task_run = models.ForeignKey(
        "runs_app.TaskRun", on_delete=models.CASCADE, related_name="rendered", db_index=False
    )
    epoch = models.PositiveIntegerField(help_text="The execution it is of.")
    fields = models.JSONField()
    created_at = CreatedAtField()

    class Meta:
        db_table = "skytrail_rendered_fields"
        constraints = [
            models.UniqueConstraint(fields=["task_run", "epoch"], name="fields_rendered_once")
        ]

    def __str__(self) -> str:
        return ", ".join(self.fields)
