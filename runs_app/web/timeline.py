"""All runs of all DAGs over time: a global Gantt chart."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from dags_app.access import check_allowed
from dags_app.selectors.dags import owners_of, tags_of
from runs_app.domain.pictures.scale import Scale
from runs_app.selectors.spans import timeline_of
from skytrail.database.clock import database_now

#: Spans to choose from, in hours.
HOURS = (1, 6, 24, 72, 168)

LANES = 60
_LONGEST = 250


@require_GET
def timeline(request: HttpRequest) -> HttpResponse:
    """The page: `hours` back from `until` (now), of all DAGs or of some."""
    check_allowed(request.user, "dags_app.view_dag", purpose="see", what="runs")
    given = request.GET.get("hours", "24")
    hours = int(given) if given in map(str, HOURS) else 24
    if request.headers.get("HX-Target") == "chart":
        context = chart(request, hours=hours, most=LANES)
        return render(request, "runs_app/timeline_chart.html", context)
    # The frame first: the chart of a busy week takes a moment.
    context = {
        "hours": hours,
        "choices": HOURS,
        "wanted": _wanted(request),
        "tags": tags_of(request.user),
        "owners": owners_of(request.user),
    }
    return render(request, "runs_app/timeline.html", context)


def chart(request: HttpRequest, *, hours: int, most: int) -> dict[str, Any]:
    """The context of `runs_app/timeline_chart.html`."""
    until = database_now()
    scale = Scale(until - timedelta(hours=hours), until)
    return {
        "timeline": timeline_of(scale, most=most, **_wanted(request)),
        "axis": [(x / 10, _label(moment, hours)) for x, moment in scale.ticks()],
        "span_hours": hours,
    }


def _label(moment: datetime, hours: int) -> str:
    local = timezone.localtime(moment)
    return f"{local:%H:%M}" if hours <= 24 else f"{local.day} {local:%b %H:%M}"


def _wanted(request: HttpRequest) -> dict[str, str | None]:
    return {
        name: request.GET.get(name, "").strip()[:_LONGEST] or None for name in ("q", "tag", "owner")
    }
