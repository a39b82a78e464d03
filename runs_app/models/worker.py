from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from skytrail.database.fields import CreatedAtField, KeyField


class Worker(models.Model):
    """A worker process that has reported itself. One that starts again is the same row."""

    id = KeyField()
    name = models.CharField(max_length=250, unique=True)
    hostname = models.CharField(max_length=250)
    pid = models.PositiveIntegerField()
    queues = ArrayField(models.CharField(max_length=250), default=list)
    concurrency = models.PositiveIntegerField()
    started_at = CreatedAtField()
    last_heartbeat = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "skytrail_worker"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
