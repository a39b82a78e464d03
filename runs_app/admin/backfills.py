"""Backfills in the admin: the list, the page of one with its verbs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesCheckboxFilter

from dags_app.admin.pages import Shown, Told, actor_of, page_context
from runs_app.access import access_backfill
from runs_app.actions import backfilling
from runs_app.admin.backfill_form import ask
from runs_app.admin.shown import as_json, badge, dag_link
from runs_app.domain.backfills import UNFINISHED, BackfillState
from runs_app.models import Backfill, BackfillRun

#: Dates shown on the page of a backfill, the last that were seen to.
ENTRIES = 100

#: Its states in the colours of runs.
_COLOURS = {
    BackfillState.RUNNING: "running",
    BackfillState.PAUSED: "up_for_retry",
    BackfillState.COMPLETED: "success",
    BackfillState.CANCELLED: "cancelled",
}


@admin.register(Backfill)
class BackfillAdmin(Shown):
    """Backfills are asked for, watched, paused and cancelled."""

    page_template = "admin/runs_app/backfill/change_form.html"
    list_display = ["stretch", "dag_column", "state_badge", "progress", "created_by", "created_at"]
    list_filter = [("state", ChoicesCheckboxFilter), ("dag", AutocompleteSelectFilter)]
    search_fields = ["dag__dag_id", "created_by"]
    search_help_text = "DAG or person"
    ordering = ["-created_at", "-id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Backfill]:
        """Those that may be seen, with how far they have come."""
        return Backfill.objects.visible_to(request.user).with_progress().order_by(*self.ordering)

    def has_run_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether they may be asked for and steered."""
        return self.has_view_permission(request) and request.user.has_perm("dags_app.run_dag")

    @admin.display(description="From, to (UTC)", ordering="from_date")
    def stretch(self, backfill: Backfill) -> str:
        """The stretch of time."""
        return f"{backfill.from_date:%Y-%m-%d %H:%M} to {backfill.to_date:%Y-%m-%d %H:%M}"

    @admin.display(description="DAG", ordering="dag__dag_id")
    def dag_column(self, backfill: Backfill) -> SafeString | str:
        """Its DAG."""
        return dag_link(backfill.dag)

    @admin.display(description="State", ordering="state")
    def state_badge(self, backfill: Backfill) -> SafeString:
        """Where it stands."""
        return _badge(backfill)

    @admin.display(description="Dates done")
    def progress(self, backfill: Any) -> str:
        """How far it has come."""
        done = backfill.seen_to - backfill.active
        return f"{done:,}" if backfill.dates is None else f"{done:,} of {backfill.dates:,}"

    # ------------------------------------------------------------- the page

    def get_urls(self) -> list[URLPattern]:
        """Those of every admin, the form, and the buttons."""
        view = self.admin_site.admin_view
        verbs = {"pause": self.pause, "resume": self.resume, "cancel": self.cancel}
        return [
            path("ask/", view(self.ask), name="runs_app_backfill_ask"),
            *(
                path(
                    f"<uuid:key>/{verb}/",
                    view(require_POST(done)),
                    name=f"runs_app_backfill_{verb}",
                )
                for verb, done in verbs.items()
            ),
            *super().get_urls(),
        ]

    def context(self, request: HttpRequest, backfill: Any) -> dict[str, Any]:
        entries = BackfillRun.objects.filter(backfill=backfill).select_related("run")
        done = backfill.seen_to - backfill.active
        return page_context(self, request, f"Backfill of {backfill.dag.dag_id}") | {
            "backfill": backfill,
            "original": backfill,
            "badge": _badge(backfill),
            "dag_link": dag_link(backfill.dag),
            "conf": as_json(backfill.conf),
            "done": done,
            "percent": None if not backfill.dates else round(100 * done / backfill.dates),
            "is_over": backfill.state not in UNFINISHED,
            "rows": [
                (entry, badge(entry.run.state) if entry.run else "")
                for entry in entries.order_by("-id")[:ENTRIES]
            ],
            "may_run": self.has_run_permission(request),
        }

    def ask(self, request: HttpRequest) -> HttpResponseBase:
        """The page that asks for a new one."""
        return ask(self, request)

    def pause(self, request: HttpRequest, key: UUID) -> HttpResponseRedirect:
        """The button that holds it."""
        return self._steer(request, key, backfilling.pause)

    def resume(self, request: HttpRequest, key: UUID) -> HttpResponseRedirect:
        """The button that lets it go on."""
        return self._steer(request, key, backfilling.resume)

    def cancel(self, request: HttpRequest, key: UUID) -> HttpResponseRedirect:
        """The button that ends it, and its runs."""
        actor = actor_of(request)
        return self._steer(request, key, lambda held: backfilling.cancel(held, actor=actor))

    def _steer(
        self, request: HttpRequest, key: UUID, verb: Callable[[Backfill], Backfill]
    ) -> HttpResponseRedirect:
        with Told(request):
            after = verb(access_backfill(request.user, key, to="run"))
            self.message_user(request, f"The backfill is {after.state}.", messages.SUCCESS)
        if not self.has_run_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("admin:runs_app_backfill_change", args=[key]))


def _badge(backfill: Backfill) -> SafeString:
    state = BackfillState(backfill.state)
    return badge(_COLOURS[state], state)
