"""Versions in the admin: what each says, and what it changed."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from dags_app.access import access_dag
from dags_app.actions import rolling_back
from dags_app.admin.pages import Shown, Told, actor_of, page_context
from dags_app.domain.differences import differences
from dags_app.models import DagSource, DagVersion
from skytrail.database.clock import database_now

#: Of a difference so many lines are shown.
MAX_LINES = 3_000


@admin.register(DagVersion)
class DagVersionAdmin(Shown):
    """Versions are read, never changed."""

    page_template = "admin/dags_app/dagversion/change_form.html"
    list_display = ["label", "dag_link", "author", "note", "effective_from", "created_at", "short_checksum"]  # fmt: skip # noqa: E501
    list_filter = ["source", "created_at"]
    search_fields = ["dag__dag_id", "author"]
    search_help_text = "DAG or author"
    ordering = ["-pk"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[DagVersion]:
        """Without the definitions, which may be a megabyte each."""
        if not self.has_view_permission(request):
            return DagVersion.objects.none()
        return DagVersion.objects.select_related("dag__version").defer("spec", "dag__version__spec")

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

    def get_urls(self) -> list[URLPattern]:
        """Rolling back has an address of its own."""
        back = self.admin_site.admin_view(require_POST(self.roll_back))
        name = "dags_app_dagversion_rollback"
        return [path("<uuid:key>/rollback/", back, name=name), *super().get_urls()]

    def roll_back(self, request: HttpRequest, key: UUID) -> HttpResponseBase:
        """Makes the DAG what it was in this version."""
        version = get_object_or_404(DagVersion.objects.select_related("dag"), pk=key)
        with Told(request):
            dag = access_dag(request.user, version.dag.dag_id, to="change")
            saved = rolling_back.roll_back(
                dag, version, author=actor_of(request), source=DagSource.ADMIN
            )
            messages.success(
                request, f"{dag.dag_id} is what it was: see version {saved.version.number}."
            )
            version = saved.version
        return HttpResponseRedirect(reverse("admin:dags_app_dagversion_change", args=[version.pk]))

    def _way_back(self, request: HttpRequest, version: DagVersion) -> list[tuple[str, str]] | None:
        """What rolling back to it would change; None where that cannot be done."""
        dag, now = version.dag, version.dag.version
        if now is None or dag.deleted_at is not None or dag.is_from_file:
            return None
        if now.checksum == version.checksum or not request.user.has_perm("dags_app.change_dag"):
            return None
        return _lines(now, version)

    def context(self, request: HttpRequest, version: DagVersion) -> dict[str, Any]:
        """Its definition, and what it changed."""
        text = _text(version.spec)
        return page_context(self, request, f"{version.dag.dag_id}, version {version.number}") | {
            "version": version,
            "original": version,
            "dag_link": self.dag_link(version),
            "definition": text,
            "changes": _changes(version),
            "now": version.dag.version,
            "is_later": version.effective_from > database_now(),
            "back": self._way_back(request, version),
            "newer": _neighbour(version, 1),
            "older": _neighbour(version, -1),
        }


def _text(spec: Any) -> str:
    return json.dumps(spec, indent=2, ensure_ascii=False, sort_keys=True)


def _neighbour(version: DagVersion, step: int) -> UUID | None:
    """The key of the version before (-1) or after (1) this one."""
    keys = DagVersion.objects.filter(dag_id=version.dag_id, number=version.number + step)
    return keys.values_list("pk", flat=True).first()


def _changes(version: DagVersion) -> list[tuple[str, str]] | None:
    """Each line of the difference to the version before, with what it is; None for the first."""
    before = DagVersion.objects.filter(dag_id=version.dag_id, number=version.number - 1).first()
    return None if before is None else _lines(before, version)


def _lines(old: DagVersion, new: DagVersion) -> list[tuple[str, str]]:
    kinds = {"+": "added", "-": "removed"}
    found = islice(differences(old.spec, new.spec).lines(), MAX_LINES)
    return [(kinds.get(sign, "place"), f"{sign} {text}") for sign, text in found]
