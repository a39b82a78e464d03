"""When a DAG will run."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from dags_app.access import access_dag
from dags_app.domain.timing.zones import check_timezone
from dags_app.selectors.previews import next_runs
from dags_app.web.frame import frame

COUNT = 25


@require_GET
def schedule(request: HttpRequest, dag_id: str) -> HttpResponse:
    """The next runs, in the DAG's own zone and the reader's."""
    dag = access_dag(request.user, dag_id)
    zone = check_timezone(dag.timezone)
    ticks = [
        (tick, f"{tick.logical_date.astimezone(zone):%a %Y-%m-%d %H:%M:%S %Z}")
        for tick in next_runs(dag, count=COUNT)
    ]
    context = frame(request, dag, "schedule/") | {"ticks": ticks}
    return render(request, "dags_app/schedule.html", context)
