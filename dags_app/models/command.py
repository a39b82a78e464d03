from __future__ import annotations

from django.db import models


class Command(models.Model):
    """What a task does, stored under the SHA-256 of its canonical form. Never changed.

    Equal commands of many tasks and versions are one row. A worker sums what it was given again and
    refuses a command whose digest is another.
    """

    digest = models.CharField(primary_key=True, max_length=64, editable=False)
    #: Text and not jsonb, which would change the spelling of numbers and so the sum.
    canonical = models.TextField()

    class Meta:
        db_table = "skytrail_command"

    def __str__(self) -> str:
        return self.digest[:12]
