"""Events of assets, in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from dags_app.admin.pages import ReadOnly
from runs_app.admin.shown import as_json
from runs_app.models import AssetEvent


@admin.register(AssetEvent)
class AssetEventAdmin(ReadOnly):
    """When which asset was brought up to date, and by whom."""

    list_display = ["asset", "at", "source", "emitted_by"]
    list_filter = ["at"]
    search_fields = ["asset", "dag_id"]
    search_help_text = "Asset or DAG"
    ordering = ["-at", "-id"]
    fields = ["asset", "at", "source", "emitted_by", "shown_extra"]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[AssetEvent]:
        """Those that may be seen."""
        return AssetEvent.objects.visible_to(request.user).order_by(*self.ordering)

    @admin.display(description="Made by the task")
    def source(self, event: AssetEvent) -> str:
        """DAG, run and task; nothing where none has made it."""
        if not event.dag_id:
            return "–"
        index = f"[{event.map_index}]" if event.map_index >= 0 else ""
        return f"{event.dag_id}, {event.run_id}, {event.task_id}{index}"

    @admin.display(description="Extra")
    def shown_extra(self, event: AssetEvent) -> str:
        """What is said about it."""
        return as_json(event.extra)
