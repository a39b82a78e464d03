"""The form that starts a run, made from the DAG's parameters; and several DAGs at once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from dags_app.access import access_dag
from dags_app.domain.fields import read_moment
from dags_app.models import Dag
from runs_app.actions.launching import RunRequest, launch
from runs_app.domain.param_forms import Field, fields, read
from runs_app.web.addresses import of_run
from skytrail.errors import Invalid, Problem, SkytrailError
from skytrail.web.people import actor_of

#: As many DAGs as one click may trigger.
MOST = 50


class BadForm(Invalid):
    """Nothing has been started: put these right first."""


class NoneChosen(Invalid):
    """Choose from 1 to {most} DAGs to trigger."""


@require_http_methods(["GET", "POST"])
def trigger(request: HttpRequest, dag_id: str) -> HttpResponse:
    """One DAG: a field for each parameter, or JSON for one that takes anything."""
    dag = access_dag(request.user, dag_id, to="run")
    if request.method == "GET":
        return _form(request, dag, fields(dag.params, _asked(request)), conf="{}", status=200)
    written = {
        name.removeprefix("p."): str(value)
        for name, value in request.POST.items()
        if name.startswith("p.")
    }
    try:
        run = launch(dag, _request(request, dag, written), actor=actor_of(request)).run()
    except SkytrailError as error:
        shown = _as_written(fields(dag.params, {}), written, error.problems)
        return _form(
            request, dag, shown, conf=request.POST.get("conf", "{}"), status=422, error=error
        )
    run.dag = dag
    return redirect(of_run(run))


@require_http_methods(["GET", "POST"])
def several(request: HttpRequest) -> HttpResponse:
    """`dag=…&dag=…`: all of them with their defaults, or none."""
    given = request.POST if request.method == "POST" else request.GET
    names = list(dict.fromkeys(given.getlist("dag")))
    if not 0 < len(names) <= MOST:
        raise NoneChosen(most=MOST)
    if len(names) == 1 and request.method == "GET":
        return redirect("dag-trigger", names[0])
    dags = [access_dag(request.user, name, to="run") for name in names]
    if request.method == "GET":
        return render(request, "runs_app/trigger_several.html", {"dags": dags})
    try:
        with transaction.atomic():
            for dag in dags:
                launch(dag, RunRequest(), actor=actor_of(request))
    except SkytrailError as error:
        context = {"dags": dags, "error": error}
        return render(request, "runs_app/trigger_several.html", context, status=422)
    return redirect("runs")


def _form(
    request: HttpRequest,
    dag: Dag,
    shown: Iterable[Field],
    *,
    conf: str,
    status: int,
    error: SkytrailError | None = None,
) -> HttpResponse:
    shown = list(shown)
    at_fields = {f"conf.{field.name}" for field in shown if field.problem}
    context = {
        "dag": dag,
        "fields": shown,
        "conf": conf,
        "error": error,
        "problems": [p for p in error.problems if p.path not in at_fields] if error else [],
        "logical_date": request.POST.get("logical_date", ""),
        "run_id": request.POST.get("run_id", ""),
    }
    return render(request, "runs_app/trigger.html", context, status=status)


def _request(request: HttpRequest, dag: Dag, written: dict[str, str]) -> RunRequest:
    """The run that was asked for. Raises `BadForm`."""
    values, problems = read(dag.params, written)
    if not dag.params:
        try:
            values = json.loads(request.POST.get("conf") or "{}")
        except (ValueError, RecursionError) as error:
            problems.append(Problem("conf", "not_json", f"it cannot be read as JSON: {error}"))
    text = request.POST.get("logical_date", "").strip()
    moment = read_moment(text) if text else None
    if text and (moment is None or not 1900 <= moment.year < 9000):
        message = "write a date and time like 2026-01-31 09:00"
        problems.append(Problem("logical_date", "bad_date", message))
    if problems:
        raise BadForm(problems=problems)
    return RunRequest(
        run_id=request.POST.get("run_id", "").strip() or None,
        logical_date=None if moment is None else _in_zone(moment),
        conf=values,
    )


def _in_zone(moment: datetime) -> datetime:
    """A time without an offset is meant in the zone that the page shows."""
    zone = timezone.get_current_timezone()
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _asked(request: HttpRequest) -> dict[str, Any]:
    """Values in the address, as JSON: a link may fill the form in."""
    try:
        given = json.loads(request.GET.get("conf", "{}"))
    except (ValueError, RecursionError):
        return {}
    return given if isinstance(given, dict) else {}


def _as_written(
    shown: Iterable[Field], written: dict[str, str], problems: Iterable[Problem]
) -> Iterable[Field]:
    """The fields with what was written into them, and what is wrong with it."""
    said: dict[str, str] = {}
    for problem in problems:
        name = problem.path.removeprefix("conf.").partition(".")[0].partition("[")[0]
        said.setdefault(name, problem.message)
    for field in shown:
        yield replace(field, text=written.get(field.name, ""), problem=said.get(field.name, ""))
