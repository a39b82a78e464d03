"""Lists of runs: of all DAGs, and of one."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from dags_app.access import access_dag, check_allowed
from dags_app.selectors.dags import dags_matching
from dags_app.web.frame import frame
from runs_app.domain.states import RunState
from runs_app.models import RunType
from runs_app.selectors.runs import runs_matching
from skytrail.rest.pagination import NewestFirst
from skytrail.web.paging import page_of
from skytrail.web.parts import page_or_part

_LONGEST = 250

#: Of more DAGs with a name that fits only the runs of the first are found.
MOST_DAGS = 1_000


class Newest(NewestFirst):
    """Newest first."""

    ordering = ("-queued_at", "-id")


@require_GET
def runs(request: HttpRequest) -> HttpResponse:
    """The runs of all DAGs."""
    check_allowed(request.user, "dags_app.view_dag", purpose="see", what="runs")
    wanted = _wanted(request)
    name = request.GET.get("q", "").strip()[:_LONGEST]
    found = runs_matching(request.user, **wanted)
    if name:
        # The DAGs first: else all runs are gone through where few or none fit.
        dags = dags_matching(request.user, name=name).values_list("pk", flat=True)
        found = found.filter(dag__in=list(dags[:MOST_DAGS]))
    context = _choices() | {"page": page_of(request, found, Newest), "wanted": wanted, "q": name}
    return page_or_part(request, "runs_app/runs.html", "runs_app/run_rows.html", context)


@require_GET
def of_dag(request: HttpRequest, dag_id: str) -> HttpResponse:
    """The runs of one."""
    dag = access_dag(request.user, dag_id)
    wanted = _wanted(request)
    found = runs_matching(request.user, dag=dag, **wanted)
    context = frame(request, dag, "runs/") | _choices()
    context |= {"page": page_of(request, found, Newest), "wanted": wanted, "of_one": True}
    return page_or_part(request, "runs_app/dag_runs.html", "runs_app/run_rows.html", context)


def _wanted(request: HttpRequest) -> dict[str, Any]:
    state, run_type = request.GET.get("state"), request.GET.get("type")
    return {
        "state": [state] if state in set(RunState) else None,
        "run_type": run_type if run_type in set(RunType.values) else None,
    }


def _choices() -> dict[str, Any]:
    return {"states": list(RunState), "types": RunType.values}
