"""Ticks that overlap policies have passed over, in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from dags_app.admin.pages import ReadOnly
from runs_app.admin.shown import dag_link
from runs_app.models import SkippedTick


@admin.register(SkippedTick)
class SkippedTickAdmin(ReadOnly):
    """Times at which a schedule was due and nothing began."""

    list_display = ["logical_date", "dag_column", "reason", "at"]
    list_filter = [("dag", AutocompleteSelectFilter), "at"]
    search_fields = ["dag__dag_id"]
    ordering = ["-logical_date", "-id"]
    fields = ["dag_column", "logical_date", "reason", "at"]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[SkippedTick]:
        """Those that may be seen."""
        if not self.has_view_permission(request):
            return SkippedTick.objects.none()
        return SkippedTick.objects.select_related("dag").order_by(*self.ordering)

    @admin.display(description="DAG", ordering="dag__dag_id")
    def dag_column(self, tick: SkippedTick) -> SafeString | str:
        """Its DAG."""
        return dag_link(tick.dag)
