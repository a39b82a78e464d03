from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from skytrail.database.fields import KeyField


class Transition(models.Model):
    """One move of a run or a task run, written in the same statement as the move.

    Never changed, and deleted by retention only; a trigger in the database sees to both. The keys
    are not enforced by constraints: checking them would lock the run's row at each of its tasks'
    moves, and the statement that writes the row has the moved one in hand.
    """

    id = KeyField()
    run = models.ForeignKey(
        "runs_app.DagRun",
        on_delete=models.DO_NOTHING,
        related_name="transitions",
        db_constraint=False,
        db_index=False,
    )
    task_run = models.ForeignKey(
        "runs_app.TaskRun",
        on_delete=models.DO_NOTHING,
        related_name="transitions",
        db_constraint=False,
        db_index=False,
        null=True,
        help_text="Null for a move of the run itself.",
    )
    from_state = models.CharField(max_length=20, blank=True)
    to_state = models.CharField(max_length=20)
    epoch = models.PositiveIntegerField(default=0)
    reason = models.CharField(max_length=250)
    actor = models.CharField(max_length=250)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "skytrail_transition"
        ordering = ["at", "id"]
        # Serves the history of a run and of its task runs.
        indexes = [models.Index(fields=["run", "at"], name="transition_of_run")]

    def __str__(self) -> str:
        return f"{self.from_state} → {self.to_state}"
