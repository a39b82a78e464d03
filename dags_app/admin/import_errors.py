"""Import errors in the admin: what is wrong with files of DAGs."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from dags_app.admin.pages import Shown, page_context
from dags_app.models import DagImportError


@admin.register(DagImportError)
class DagImportErrorAdmin(Shown):
    """They go when their files are well again."""

    page_template = "admin/dags_app/dagimporterror/change_form.html"
    list_display = ["file", "line", "first_line", "timestamp", "root"]
    list_filter = ["timestamp"]
    search_fields = ["file", "error"]
    search_help_text = "File or error"
    ordering = ["-timestamp", "-pk"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[DagImportError]:
        """Without the tracebacks, which may be long."""
        errors = DagImportError.objects.visible_to(request.user)
        return errors.order_by(*self.ordering).defer("traceback")

    @admin.display(description="Error", ordering="error")
    def first_line(self, error: DagImportError) -> str:
        """What it says first."""
        first, _, more = error.error.partition("\n")
        return f"{first[:200]} …" if more or len(first) > 200 else first

    def context(self, request: HttpRequest, error: DagImportError) -> dict[str, Any]:
        """Every problem, and the way to it."""
        return page_context(self, request, error.file) | {"error": error, "original": error}
