"""One DAG: its graph, and its definition."""

from __future__ import annotations

import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from dags_app.access import access_dag
from dags_app.models import VersionTask
from dags_app.selectors.previews import next_runs
from dags_app.web.frame import frame
from dags_app.web.painting import graph_of_version

#: Runs of the schedule that are shown beside the graph.
COMING = 3


@require_GET
def overview(request: HttpRequest, dag_id: str) -> HttpResponse:
    """The graph of what runs now, and in short what it is."""
    dag = access_dag(request.user, dag_id)
    version = dag.version
    context = frame(request, dag, "") | {
        "graph": version and graph_of_version(version),
        "coming": next_runs(dag, count=COMING),
        "version": version,
        "task_count": VersionTask.objects.filter(version=version).count() if version else 0,
    }
    return render(request, "dags_app/overview.html", context)


@require_GET
def definition(request: HttpRequest, dag_id: str) -> HttpResponse:
    """The canonical definition, as JSON."""
    dag = access_dag(request.user, dag_id)
    spec = dag.version.spec if dag.version else {}
    text = json.dumps(spec, indent=2, ensure_ascii=False)
    return render(
        request, "dags_app/definition.html", frame(request, dag, "definition/") | {"text": text}
    )
