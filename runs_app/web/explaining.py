"""Why? As a part of the pages of runs and tasks, and as a page for runs that never came."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from dags_app.access import access_dag
from dags_app.domain.fields import read_moment
from dags_app.web.frame import frame
from runs_app.access import access_run
from runs_app.domain.explaining.reasons import About, Explanation, Reason
from runs_app.selectors.explaining.asking import why_dag, why_run, why_task
from runs_app.web.task import accessed
from skytrail.rest.requests import BadRequest

#: A reason with its depth, and the page of what it is about.
Line = tuple[int, Reason, str]


@require_GET
def dag(request: HttpRequest, dag_id: str) -> HttpResponse:
    """What a DAG's schedule did at a time, or will do: the page."""
    found = access_dag(request.user, dag_id)
    context = frame(request, found, "why/")
    try:
        at = _at(request)
    except BadRequest as error:
        context |= {"problem": error.problems[0].message, "asked": request.GET.get("at", "")}
        return render(request, "runs_app/dag_why.html", context, status=400)
    context |= _shown(why_dag(found, at=at)) | {"asked": request.GET.get("at", "")}
    return render(request, "runs_app/dag_why.html", context)


@require_GET
def run(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponse:
    """A run: the part of its page."""
    found = access_run(request.user, dag_id, run_id)
    return _part(request, why_run(found, at=_at(request)))


@require_GET
def task(request: HttpRequest, dag_id: str, run_id: str, task_id: str) -> HttpResponse:
    """A task of a run: the part of its page."""
    found = accessed(request, dag_id, run_id, task_id)
    return _part(request, why_task(found, at=_at(request)))


def _part(request: HttpRequest, explanation: Explanation) -> HttpResponse:
    context = _shown(explanation) | {"asked": request.GET.get("at", "")}
    return render(request, "runs_app/why.html", context)


def _shown(explanation: Explanation) -> dict[str, object]:
    lines: list[Line] = [
        (depth, reason, _page(reason.about)) for depth, reason in explanation.walk()
    ]
    return {"explanation": explanation, "lines": lines}


def _page(about: About | None) -> str:
    match about:
        case About(kind="task"):
            page = reverse("task", args=[about.dag_id, about.run_id, about.name])
            return page if about.map_index < 0 else f"{page}?map_index={about.map_index}"
        case About(kind="run"):
            return reverse("run", args=[about.dag_id, about.run_id])
        case About(kind="dag"):
            return reverse("dag", args=[about.name])
        case About(kind="pool"):
            return reverse("pools")
        case About(kind="queue"):
            return reverse("queues")
        case About(kind="approvals"):
            return reverse("approvals")
    return ""


def _at(request: HttpRequest) -> datetime | None:
    """The time that was asked about; one without an offset is meant in the page's zone."""
    text = request.GET.get("at", "").strip()
    if not text:
        return None
    moment = read_moment(text)
    if moment is None or not 1900 <= moment.year < 9000:
        hint = "write a date and time like 2026-01-31 09:00"
        raise BadRequest.because("at", "bad_date", hint)
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.get_current_timezone())
