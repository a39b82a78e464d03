"""Versions in the admin: what each says, and what it changed."""

from __future__ import annotations

import difflib
import json
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from dags_app.admin.pages import Shown, page_context
from dags_app.models import DagVersion

#: Definitions with more lines than this are shown without what they changed.
MAX_COMPARED = 3_000


@admin.register(DagVersion)
class DagVersionAdmin(Shown):
    """Versions are read, never changed."""

    page_template = "admin/dags_app/dagversion/change_form.html"
    list_display = ["label", "dag_link", "author", "source", "created_at", "short_checksum"]
    list_filter = ["source", "created_at"]
    search_fields = ["dag__dag_id", "author"]
    search_help_text = "DAG or author"
    ordering = ["-pk"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[DagVersion]:
        """Without the definitions, which may be a megabyte each."""
        if not self.has_view_permission(request):
            return DagVersion.objects.none()
        return DagVersion.objects.select_related("dag").defer("spec")

    @admin.display(description="Version", ordering="number")
    def label(self, version: DagVersion) -> str:
        """Its number."""
        return f"Version {version.number}"

    @admin.display(description="DAG", ordering="dag__dag_id")
    def dag_link(self, version: DagVersion) -> SafeString | str:
        """The DAG, unless it has been deleted."""
        if version.dag.deleted_at is not None:
            return f"{version.dag.dag_id} (deleted)"
        page = reverse("admin:dags_app_dag_change", args=[version.dag_id])
        return format_html('<a class="sky-link" href="{}">{}</a>', page, version.dag.dag_id)

    @admin.display(description="Checksum")
    def short_checksum(self, version: DagVersion) -> str:
        """Its first digits."""
        return version.checksum[:12]

    def context(self, request: HttpRequest, version: DagVersion) -> dict[str, Any]:
        """Its definition, and what it changed."""
        text = _text(version.spec)
        return page_context(self, request, f"{version.dag.dag_id}, version {version.number}") | {
            "version": version,
            "original": version,
            "dag_link": self.dag_link(version),
            "definition": text,
            "changes": _changes(version, text),
            "newer": _neighbour(version, 1),
            "older": _neighbour(version, -1),
        }


def _text(spec: Any) -> str:
    return json.dumps(spec, indent=2, ensure_ascii=False, sort_keys=True)


def _neighbour(version: DagVersion, step: int) -> UUID | None:
    """The key of the version before (-1) or after (1) this one."""
    keys = DagVersion.objects.filter(dag_id=version.dag_id, number=version.number + step)
    return keys.values_list("pk", flat=True).first()


def _changes(version: DagVersion, text: str) -> list[tuple[str, str]] | None:
    """Each line of the difference to the version before, with what it is; None for the first."""
    before = DagVersion.objects.filter(dag_id=version.dag_id, number=version.number - 1).first()
    if before is None:
        return None
    old, new = _text(before.spec).splitlines(), text.splitlines()
    if max(len(old), len(new)) > MAX_COMPARED:
        return None
    found = list(difflib.unified_diff(old, new, n=3, lineterm=""))[2:]
    kinds = {"+": "added", "-": "removed", "@": "place"}
    return [(kinds.get(line[:1], "same"), line) for line in found]
