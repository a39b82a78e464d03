from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from skytrail.database.fields import KeyField
from skytrail.security.subject import Subject


class AssetEventQuerySet(models.QuerySet["AssetEvent"]):
    def visible_to(self, user: Subject) -> Self:
        """Those that `user` may know of: assets belong to all DAGs."""
        return self if user.has_perm("dags_app.view_dag") else self.none()


class AssetEvent(models.Model):
    """An asset was brought up to date: by a task that names it as an outlet, or by somebody else.

    Who did it is told in words too, which stay when the run is forgotten.
    """

    id = KeyField()
    asset = models.CharField(max_length=250)
    at = models.DateTimeField(db_default=Now())
    extra = models.JSONField(default=dict, help_text="What who did it says about it.")
    task_run = models.ForeignKey(
        "runs_app.TaskRun", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    epoch = models.PositiveIntegerField(null=True)
    dag_id = models.CharField(max_length=250, blank=True, default="")
    run_id = models.CharField(max_length=250, blank=True, default="")
    task_id = models.CharField(max_length=250, blank=True, default="")
    map_index = models.IntegerField(default=-1)
    emitted_by = models.CharField(max_length=550)

    objects = AssetEventQuerySet.as_manager()

    class Meta:
        db_table = "skytrail_asset_event"
        verbose_name = "asset event"
        constraints = [
            models.UniqueConstraint(
                fields=["task_run", "epoch", "asset"],
                condition=Q(task_run__isnull=False),
                name="one_event_per_execution",
            ),
        ]
        indexes = [
            # Serves the lists: of all, and of one asset, newest first; and retention.
            models.Index(fields=["-at", "-id"], name="asset_event_newest"),
            models.Index(fields=["asset", "-at", "-id"], name="asset_event_of_asset"),
        ]

    def __str__(self) -> str:
        return self.asset


class AssetDelivery(models.Model):
    """An event on its way to a DAG that waits for its asset, and the run that has come of it.

    `run` null: it waits there. `is_new`: nobody has looked yet whether it completes what the DAG
    waits for.
    """

    id = KeyField()
    dag = models.ForeignKey(
        "dags_app.Dag", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    event = models.ForeignKey(AssetEvent, on_delete=models.CASCADE, related_name="deliveries")
    run = models.ForeignKey(
        "runs_app.DagRun", on_delete=models.CASCADE, null=True, related_name="asset_deliveries"
    )
    is_new = models.BooleanField(default=True)

    class Meta:
        db_table = "skytrail_asset_delivery"
        constraints = [
            # An event starts at most one run of a DAG, whoever looks and how often.
            models.UniqueConstraint(fields=["dag", "event"], name="one_delivery_per_event"),
        ]
        indexes = [
            # Serves the tick: which DAGs have something new?
            models.Index(fields=["dag"], condition=Q(is_new=True), name="delivery_new"),
            # Serves the question what a DAG has already.
            models.Index(fields=["dag"], condition=Q(run__isnull=True), name="delivery_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.event} for {self.dag}"
