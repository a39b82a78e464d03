"""Making up for stretches of schedules: what would run is shown before anything does."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dags_app.access import access_dag, check_allowed
from dags_app.domain.fields import read_moment
from dags_app.domain.timing.zones import check_timezone
from dags_app.models import Dag
from dags_app.web.frame import frame
from runs_app.access import access_backfill
from runs_app.actions import backfilling
from runs_app.domain.backfills import UNFINISHED, BackfillState, Reprocess
from runs_app.models import Backfill, BackfillRun
from runs_app.web.acting import done
from skytrail.errors import Invalid, Problem, SkytrailError
from skytrail.rest.pagination import NewestFirst
from skytrail.web.paging import page_of
from skytrail.web.parts import page_or_part
from skytrail.web.people import actor_of

#: Dates of a plan and of a backfill that are listed; the rest is counted.
LISTED = 100

#: Its states in the shapes of runs.
SHAPES = {
    BackfillState.RUNNING: "running",
    BackfillState.PAUSED: "deferred",
    BackfillState.COMPLETED: "success",
    BackfillState.CANCELLED: "cancelled",
}

_NAMES = ("from_date", "to_date", "reprocess_behavior", "max_active_runs", "task_ids", "conf")


class BadForm(Invalid):
    """Nothing has been started: put these right first."""


class Newest(NewestFirst):
    """Newest first."""

    ordering = ("-created_at", "-id")


@require_GET
def backfills(request: HttpRequest) -> HttpResponse:
    """Those of all DAGs."""
    check_allowed(request.user, "dags_app.view_dag", purpose="see", what="backfills")
    found = Backfill.objects.visible_to(request.user).with_progress()
    page = page_of(request, found, Newest, limit=25)
    context = {"page": page, "rows": [_row(each) for each in page.rows]}
    return page_or_part(request, "runs_app/backfills.html", "runs_app/backfill_rows.html", context)


@require_http_methods(["GET", "POST"])
def of_dag(request: HttpRequest, dag_id: str) -> HttpResponse:
    """Those of one DAG, and the form for a new one: first its dates, then it begins."""
    dag = access_dag(request.user, dag_id, to="view" if request.method == "GET" else "run")
    context: dict[str, Any] = frame(request, dag, "backfills/")
    context |= {
        "given": {name: request.POST.get(name, "") for name in _NAMES},
        "run_backwards": "run_backwards" in request.POST,
        "choices": list(Reprocess),
    }
    status = 200
    if request.method == "POST":
        try:
            wanted = _request(request)
            if request.POST.get("do") == "create":
                made = backfilling.create(dag, wanted, actor=actor_of(request))
                return redirect("backfill", made.pk)
            plan = backfilling.plan(dag, wanted)
        except SkytrailError as error:
            context["error"], status = error, 422
        else:
            context["plan"] = _shown(dag, plan)
    found = Backfill.objects.visible_to(request.user).with_progress().filter(dag=dag)
    page = page_of(request, found, Newest, limit=25)
    context |= {"page": page, "rows": [_row(each) for each in page.rows], "of_one": True}
    return render(request, "runs_app/dag_backfills.html", context, status=status)


@require_GET
def backfill(request: HttpRequest, key: UUID) -> HttpResponse:
    """One: how far it has come, and what its dates have come to."""
    found = access_backfill(request.user, key)
    entries = BackfillRun.objects.filter(backfill=found).select_related("run").order_by("-id")
    row = _row(found)
    context = row | {
        "entries": list(entries.defer("run__conf")[:LISTED]),
        "may_run": request.user.has_perm("dags_app.run_dag"),
        "is_over": found.state not in UNFINISHED,
    }
    page, body = "runs_app/backfill.html", "runs_app/backfill_body.html"
    return page_or_part(request, page, body, context, target="backfill")


@require_POST
def steer(request: HttpRequest, key: UUID) -> HttpResponse:
    """Pauses, resumes or cancels one (`do`)."""
    found = access_backfill(request.user, key, to="run")
    do = request.POST.get("do")
    if do == "pause":
        backfilling.pause(found)
        return done("The backfill is paused; its runs that are under way go on.")
    if do == "resume":
        backfilling.resume(found)
        return done("The backfill goes on.")
    if do == "cancel":
        backfilling.cancel(found, actor=actor_of(request))
        return done("The backfill is cancelled, and its runs with it.")
    raise BadForm(problems=[Problem("do", "unknown", "use pause, resume or cancel")])


def _shown(dag: Dag, plan: backfilling.Plan) -> dict[str, Any]:
    zone = check_timezone(dag.timezone)
    return {
        "count": len(plan.dates),
        "is_more": plan.is_more,
        "left": max(len(plan.dates) - LISTED, 0),
        "rows": [
            (
                each.logical_date,
                f"{each.logical_date.astimezone(zone):%a %Y-%m-%d %H:%M %Z}",
                each.treatment.replace("_", " "),
            )
            for each in plan.dates[:LISTED]
        ],
    }


def _row(found: Any) -> dict[str, Any]:
    over = found.seen_to - found.active
    total = found.dates or max(found.seen_to, 1)
    return {
        "backfill": found,
        "shape": SHAPES[BackfillState(found.state)],
        "done": over,
        "percent": None if found.dates is None else round(100 * over / max(total, 1)),
    }


def _request(request: HttpRequest) -> backfilling.BackfillRequest:
    """What was asked for. Raises `BadForm` with every problem."""
    problems: list[Problem] = []

    def moment(name: str) -> datetime:
        found = read_moment(request.POST.get(name, "").strip())
        if found is None or not 1900 <= found.year < 9000:
            problems.append(
                Problem(name, "bad_date", "write a date and time like 2026-01-31 09:00")
            )
            return datetime.min  # noqa: DTZ901  # is not used: a problem has been found
        return found

    def conf() -> dict[str, Any] | None:
        text = request.POST.get("conf", "").strip()
        try:
            value = json.loads(text) if text else None
        except (ValueError, RecursionError) as error:
            problems.append(Problem("conf", "not_json", f"it cannot be read as JSON: {error}"))
            return None
        if value is not None and not isinstance(value, dict):
            problems.append(Problem("conf", "not_an_object", "write an object: { … }"))
            return None
        return value

    limit = request.POST.get("max_active_runs", "").strip() or "10"
    if not (limit.isascii() and limit.isdigit() and len(limit) < 6 and 1 <= int(limit) <= 10_000):
        problems.append(Problem("max_active_runs", "bad_number", "give a number from 1 to 10000"))
        limit = "10"
    behaviour = request.POST.get("reprocess_behavior") or Reprocess.NONE.value
    if behaviour not in list(Reprocess):
        problems.append(
            Problem("reprocess_behavior", "unknown", f"use one of {', '.join(Reprocess)}")
        )
        behaviour = Reprocess.NONE.value
    tasks = [word.strip() for word in request.POST.get("task_ids", "").split(",") if word.strip()]
    wanted = backfilling.BackfillRequest(
        from_date=moment("from_date"),
        to_date=moment("to_date"),
        reprocess_behavior=Reprocess(behaviour),
        max_active_runs=int(limit),
        run_backwards="run_backwards" in request.POST,
        task_ids=tasks or None,
        conf=conf(),
    )
    if problems:
        raise BadForm(problems=problems)
    return wanted
