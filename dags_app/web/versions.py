"""A DAG's versions: the list, what differs, going back."""

from __future__ import annotations

import json

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from dags_app.access import access_dag, access_version
from dags_app.actions import rolling_back
from dags_app.domain.differences import differences
from dags_app.models import DagSource, DagVersion
from dags_app.web.frame import frame
from skytrail.rest.pagination import NewestFirst
from skytrail.web.paging import page_of
from skytrail.web.people import actor_of


class Newest(NewestFirst):
    """Newest first."""

    ordering = ("-number",)


@require_GET
def versions(request: HttpRequest, dag_id: str) -> HttpResponse:
    """All versions, newest first."""
    dag = access_dag(request.user, dag_id)
    page = page_of(request, DagVersion.objects.filter(dag=dag).defer("spec"), Newest)
    context = frame(request, dag, "versions/") | {"page": page}
    return render(request, "dags_app/versions.html", context)


@require_GET
def version(request: HttpRequest, dag_id: str, number: int) -> HttpResponse:
    """One version's definition."""
    dag = access_dag(request.user, dag_id)
    found = access_version(dag, number)
    context = frame(request, dag, "versions/") | {
        "version": found,
        "text": json.dumps(found.spec, indent=2, ensure_ascii=False),
    }
    return render(request, "dags_app/version.html", context)


@require_GET
def diff(request: HttpRequest, dag_id: str, number: int, other: int) -> HttpResponse:
    """What changes from one version to another."""
    dag = access_dag(request.user, dag_id)
    old, new = access_version(dag, number), access_version(dag, other)
    context = frame(request, dag, "versions/") | {
        "old": old,
        "new": new,
        "lines": list(differences(old.spec, new.spec).lines()),
        "numbers": list(DagVersion.objects.filter(dag=dag).values_list("number", flat=True)[:100]),
    }
    return render(request, "dags_app/diff.html", context)


@require_http_methods(["GET", "POST"])
def rollback(request: HttpRequest, dag_id: str, number: int) -> HttpResponse:
    """Asks whether to freeze an old definition anew, showing what would change; and does it."""
    dag = access_dag(request.user, dag_id, to="change")
    found = access_version(dag, number)
    if request.method == "GET":
        assert dag.version is not None
        lines = list(differences(dag.version.spec, found.spec).lines())
        return render(
            request, "dags_app/rollback.html", {"dag": dag, "version": found, "lines": lines}
        )
    saved = rolling_back.roll_back(dag, found, author=actor_of(request), source=DagSource.API)
    now = saved.dag.version
    messages.success(
        request, f"Version {number} holds again, as version {now.number if now else '?'}."
    )
    return redirect("dag-versions", dag_id)
