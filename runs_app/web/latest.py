"""The last runs of DAGs, as parts of pages that know nothing of runs."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from dags_app.access import access_dag, check_allowed
from dags_app.models import Dag
from runs_app.domain.pictures.durations import heights
from runs_app.selectors.latest import Latest, latest_runs
from runs_app.selectors.runs import runs_matching
from skytrail.rest.requests import BadRequest

#: Runs that stand beside a DAG in a list, and DAGs that may be asked about at once.
EACH = 10
MOST = 200

SPARK_WIDTH, SPARK_HEIGHT, BAR = 84, 22, 8

RECENT = 8


@require_GET
def squares(request: HttpRequest) -> HttpResponse:
    """`?dag=<key>&dag=<key>`: for each of these DAGs its last runs, and how long they took."""
    check_allowed(request.user, "dags_app.view_dag", purpose="see", what="DAGs")
    keys = _keys(request)
    dags = Dag.objects.visible_to(request.user).filter(pk__in=keys).only("dag_id")
    found = latest_runs([dag.pk for dag in dags], each=EACH)
    rows = [(dag, found.get(dag.pk, []), _spark(found.get(dag.pk, []))) for dag in dags]
    return render(request, "runs_app/squares.html", {"rows": rows})


@require_GET
def recent(request: HttpRequest, dag_id: str) -> HttpResponse:
    """A DAG's latest runs."""
    dag = access_dag(request.user, dag_id)
    runs = runs_matching(request.user, dag=dag).order_by("-queued_at", "-id")
    return render(request, "runs_app/recent.html", {"dag": dag, "runs": list(runs[:RECENT])})


def _keys(request: HttpRequest) -> list[UUID]:
    try:
        keys = [UUID(word) for word in request.GET.getlist("dag")]
    except ValueError:
        raise BadRequest.because("dag", "bad_key", "name DAGs by their keys") from None
    return keys[:MOST]


def _spark(runs: list[Latest]) -> list[tuple[int, float, float, str]]:
    """Bars: x, y, height, state."""
    tall = heights([run.seconds for run in runs], height=SPARK_HEIGHT)
    first = SPARK_WIDTH - BAR * len(runs)
    return [
        (first + place * BAR, SPARK_HEIGHT - high, high, run.state)
        for place, (run, high) in enumerate(zip(runs, tall, strict=True))
    ]
