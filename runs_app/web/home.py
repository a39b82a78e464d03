"""The first page: what needs somebody now, and what the last day was like."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from dags_app.access import check_allowed
from runs_app.selectors import attention
from runs_app.selectors.workers import workers_with_status
from runs_app.web.timeline import chart


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The page; only what is happening where htmx asks for it again."""
    if not request.user.has_perm("dags_app.view_dag"):
        return render(request, "runs_app/nothing.html")
    if request.headers.get("HX-Target") == "now":
        return render(request, "runs_app/now.html", _now(request))
    return render(request, "runs_app/home.html", _now(request))


@require_GET
def day(request: HttpRequest) -> HttpResponse:
    """The last 24 hours, for the first page."""
    check_allowed(request.user, "dags_app.view_dag", purpose="see", what="runs")
    return render(request, "runs_app/timeline_chart.html", chart(request, hours=24, most=14))


def _now(request: HttpRequest) -> dict[str, Any]:
    user = request.user
    failing = attention.failing(user)
    late = attention.late_dags(user)
    running = attention.in_progress(user)
    queues = attention.queues()
    workers: list[Any] = list(workers_with_status().filter(stopped_at=None))
    return {
        "failing": failing[: attention.MOST],
        "late": late[: attention.MOST],
        "more_failing": len(failing) > attention.MOST,
        "running": running[: attention.MOST],
        "unfinished": attention.unfinished(user) if len(running) > attention.MOST else len(running),
        "queues": queues,
        "queued": sum(queue.length for queue in queues),
        "oldest": min((queue.oldest for queue in queues if queue.oldest), default=None),
        "executing": sum(queue.running for queue in queues),
        "workers": workers,
        "alive": sum(worker.is_active for worker in workers),
        "dead": attention.dead_letters(user),
        "counted": attention.COUNTED,
        "questions": attention.open_questions(user),
        "coming": attention.coming(user),
    }
