"""What tasks keep for later runs, in the admin: to look at, secrets without their values."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from dags_app.admin.pages import ReadOnly
from runs_app.admin.shown import as_json, dag_link
from runs_app.domain.state import HIDDEN
from runs_app.models import StateEntry


@admin.register(StateEntry)
class StateEntryAdmin(ReadOnly):
    """Keys of tasks, DAGs and assets."""

    list_display = ["key", "scope", "dag_column", "task_id", "asset", "version", "expires_at", "written_at"]  # fmt: skip # noqa: E501
    list_filter = ["scope", ("dag", AutocompleteSelectFilter)]
    search_fields = ["key", "task_id", "asset"]
    ordering = ["key", "id"]
    fields = ["key", "scope", "dag_column", "task_id", "asset", "shown_value", "version", "expires_at", "written_by", "written_at"]  # fmt: skip # noqa: E501
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[StateEntry]:
        """Those that may be seen, and whose time is not up."""
        if not self.has_view_permission(request):
            return StateEntry.objects.none()
        return StateEntry.objects.kept().select_related("dag").order_by(*self.ordering)

    @admin.display(description="DAG", ordering="dag__dag_id")
    def dag_column(self, entry: StateEntry) -> SafeString | str:
        """Its DAG."""
        return dag_link(entry.dag) if entry.dag else ""

    @admin.display(description="value")
    def shown_value(self, entry: StateEntry) -> str:
        """What is kept, if it is no secret."""
        return as_json(entry.value) if entry.sealed is None else HIDDEN
