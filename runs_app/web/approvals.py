"""Questions that tasks ask of people."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from dags_app.access import check_allowed
from runs_app.access import access_approval
from runs_app.actions.approvals import decide
from runs_app.selectors.approvals import approvals_matching
from runs_app.web.addresses import of_task
from skytrail.errors import SkytrailError
from skytrail.rest.pagination import NewestFirst
from skytrail.web.paging import page_of
from skytrail.web.people import actor_of


class Newest(NewestFirst):
    """Those asked last first."""

    ordering = ("-requested_at", "-id")


@require_GET
def approvals(request: HttpRequest) -> HttpResponse:
    """Those that are open; with `which=decided` the others."""
    check_allowed(request.user, "dags_app.view_dag", purpose="see", what="approvals")
    is_open = request.GET.get("which") != "decided"
    page = page_of(request, approvals_matching(request.user, pending=is_open), Newest)
    context = {"page": page, "is_open": is_open}
    return render(request, "runs_app/approvals.html", context)


@require_http_methods(["GET", "POST"])
def approval(request: HttpRequest, key: UUID) -> HttpResponse:
    """One question, and the answer to it."""
    found = access_approval(request.user, key, to="run" if request.method == "POST" else "view")
    task = found.task_run
    context = {
        "approval": found,
        "task": task,
        "task_address": of_task(task.run, task.task_id, task.map_index),
        "may_answer": request.user.has_perm("dags_app.run_dag"),
        "note": request.POST.get("note", ""),
    }
    if request.method == "GET":
        return render(request, "runs_app/approval.html", context)
    try:
        decide(
            found,
            choice=request.POST.get("choice", ""),
            note=request.POST.get("note", ""),
            actor=actor_of(request),
            username=request.user.get_username(),
        )
    except SkytrailError as error:
        return render(request, "runs_app/approval.html", context | {"error": error}, status=422)
    return redirect("approvals")
