from __future__ import annotations

from django.db import models


class Tick(models.Model):
    """When each periodic job last ran, and what it has to remember until it runs again."""

    name = models.CharField(primary_key=True, max_length=50)
    ran_at = models.DateTimeField()
    memory = models.JSONField(default=dict)

    class Meta:
        db_table = "skytrail_tick"

    def __str__(self) -> str:
        return self.name
