"""Pools and workers in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from dags_app.admin.pages import Page, ReadOnly
from runs_app.models import Pool, Worker
from runs_app.selectors.pools import pools_with_usage
from runs_app.selectors.workers import workers_with_status


@admin.register(Pool)
class PoolAdmin(Page):
    """Slots that tasks share; edited here, as over REST."""

    list_display = ["name", "slots", "occupied", "waiting", "description"]
    search_fields = ["name", "description"]
    fields = ["name", "slots", "description"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Pool]:
        """With how much of each is taken."""
        return pools_with_usage()

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Tasks know a pool by its name."""
        return ["name"] if obj is not None else []

    @admin.display(description="Taken", ordering="occupied_slots")
    def occupied(self, pool: Any) -> int:
        """By tasks that are queued or run."""
        return int(pool.occupied_slots)

    @admin.display(description="Waiting", ordering="waiting_slots")
    def waiting(self, pool: Any) -> int:
        """Slots that ready tasks wait for."""
        return int(pool.waiting_slots)


@admin.register(Worker)
class WorkerAdmin(ReadOnly):
    """Worker processes report themselves."""

    list_display = ["name", "status", "queue_list", "concurrency", "hostname", "last_heartbeat"]
    search_fields = ["name", "hostname"]
    fields = [
        "name", "status", "hostname", "pid", "queue_list", "concurrency", "started_at",
        "last_heartbeat", "stopped_at",
    ]  # fmt: skip
    readonly_fields = fields

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Its own permission: a worker belongs to no DAG."""
        return request.user.has_perm("runs_app.view_worker")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Worker]:
        """With whether each is heard of."""
        return workers_with_status()

    @admin.display(description="Status")
    def status(self, worker: Any) -> SafeString:
        """Whether it has been heard of lately."""
        state, word = ("success", "active") if worker.is_active else ("queued", "inactive")
        return format_html('<span class="sky-badge is-{}">{}</span>', state, word)

    @admin.display(description="Queues")
    def queue_list(self, worker: Worker) -> str:
        """What it takes tasks from."""
        return ", ".join(worker.queues)
