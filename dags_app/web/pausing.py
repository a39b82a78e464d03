"""Holding schedules back and letting them go on: what would start is shown first."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh, trigger_client_event

from dags_app.access import access_dag
from dags_app.actions import pausing
from dags_app.models import Dag
from dags_app.selectors.previews import Resuming, resuming
from skytrail.database.clock import database_now
from skytrail.errors import Invalid, listed
from skytrail.web.people import actor_of

#: As many DAGs as are chosen at once: those of a page of the list.
MOST = 200

#: Ticks that are listed; more are counted.
SHOWN = 20


class NoneChosen(Invalid):
    """Choose from 1 to {most} DAGs."""


@require_POST
def pause(request: HttpRequest, dag_id: str) -> HttpResponse:
    """Pauses one."""
    dag = pausing.pause(access_dag(request.user, dag_id, to="change"), actor=actor_of(request))
    answer = _button(request, dag)
    return trigger_client_event(
        answer, "told", {"text": f"{dag_id} is paused: nothing starts by itself."}
    )


@require_http_methods(["GET", "POST"])
def resume(request: HttpRequest, dag_id: str) -> HttpResponse:
    """Asks whether to resume one, and does it."""
    dag = access_dag(request.user, dag_id, to="change")
    if request.method == "GET":
        preview = resuming(dag)
        return render(request, "dags_app/resume.html", {"dag": dag} | _shown(preview))
    dag = pausing.resume(dag, actor=actor_of(request))
    answer = trigger_client_event(_button(request, dag), "done", {})
    return trigger_client_event(answer, "told", {"text": f"{dag_id} is resumed."})


@require_http_methods(["GET", "POST"])
def chosen(request: HttpRequest) -> HttpResponse:
    """Pauses or resumes several (`dag=…&dag=…&do=pause`); asked with GET, what that would do."""
    given = request.GET if request.method == "GET" else request.POST
    names, do = list(dict.fromkeys(given.getlist("dag"))), given.get("do")
    if not 0 < len(names) <= MOST or do not in {"pause", "resume"}:
        raise NoneChosen(most=MOST)
    dags = [access_dag(request.user, name, to="change") for name in names]
    if request.method == "GET":
        return render(request, "dags_app/chosen.html", {"dags": dags, "do": do} | _of_all(dags, do))
    for dag in dags:
        (pausing.pause if do == "pause" else pausing.resume)(dag, actor=actor_of(request))
    return HttpResponseClientRefresh()


def _of_all(dags: list[Dag], do: str) -> dict[str, Any]:
    if do == "pause":
        return {"names": listed([dag.dag_id for dag in dags])}
    now = database_now()
    starts = [(dag, resuming(dag, now=now).starts) for dag in dags]
    at_once = [(dag, len(found.ticks), found.is_more) for dag, found in starts if found.ticks]
    return {
        "names": listed([dag.dag_id for dag in dags]),
        "starting": at_once[:SHOWN],
        "count": sum(count for _, count, _ in at_once),
    }


def _shown(preview: Resuming) -> dict[str, Any]:
    ticks = preview.starts.ticks
    return {
        "ticks": ticks[:SHOWN],
        "count": len(ticks),
        "more": len(ticks) - len(ticks[:SHOWN]),
        "is_more": preview.starts.is_more,
        "passed_over": preview.starts.passed_over,
        "next_run_at": preview.next_run_at,
    }


def _button(request: HttpRequest, dag: Dag) -> HttpResponse:
    context = {"dag": dag, "may_change": True, "large": "large" in request.GET}
    return render(request, "dags_app/pausing.html", context)
