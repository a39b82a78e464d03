"""What is done to a run or a task: asked first, with exactly what will happen."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from runs_app.access import access_run
from runs_app.actions import cancellation, noting, repeating, rerunning
from runs_app.domain.clearing import Selection
from runs_app.domain.states import TaskState
from runs_app.models import TaskRun
from runs_app.web.addresses import of_run
from runs_app.web.task import accessed
from skytrail.errors import Invalid, SkytrailError
from skytrail.web.errors import refused
from skytrail.web.people import actor_of

#: Tasks that are listed before something is done to them; the rest is counted.
LISTED = 100

#: Edited confs are text until they are read.
_LONGEST_CONF = 200_000


def done(text: str) -> HttpResponse:
    """The answer to an action that has been taken: the page shows what becomes of it."""
    answer = HttpResponse(status=204)
    trigger_client_event(answer, "done", {})
    return trigger_client_event(answer, "told", {"text": text})


@require_http_methods(["GET", "POST"])
def cancel(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponse:
    """Stops a run."""
    run = access_run(request.user, dag_id, run_id, to="run")
    if request.method == "POST":
        cancellation.cancel_run(run, actor=actor_of(request))
        return done(f"{run_id} is being cancelled.")
    unfinished = TaskRun.objects.filter(run=run, finished_at=None)
    running = unfinished.filter(state=TaskState.RUNNING).order_by("position", "map_index")
    context = {
        "title": f"Cancel {run_id}?",
        "count": unfinished.count(),
        "running": list(running.only("task_id", "map_index")[:LISTED]),
        "verb": "Cancel the run",
    }
    return render(request, "runs_app/ask_cancel.html", context)


@require_http_methods(["GET", "POST"])
def cancel_task(request: HttpRequest, dag_id: str, run_id: str, task_id: str) -> HttpResponse:
    """Stops a task."""
    task = accessed(request, dag_id, run_id, task_id, to="run")
    if request.method == "POST":
        cancellation.cancel_task(task, actor=actor_of(request))
        return done(f"{task} is being cancelled.")
    context = {
        "title": f"Cancel {task}?",
        "count": 1,
        "running": [task] if task.state == TaskState.RUNNING else [],
        "verb": "Cancel the task",
    }
    return render(request, "runs_app/ask_cancel.html", context)


@require_http_methods(["GET", "POST"])
def clear(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponse:
    """Has tasks run again.

    `which` is failed, all or task (with `task`, `upstream`, `downstream`); `conf` is another conf.
    """
    run = access_run(request.user, dag_id, run_id, to="run")
    given = request.POST if request.method == "POST" else request.GET
    selection = _selection(given)
    text = given.get("conf", "")[:_LONGEST_CONF]
    context: dict[str, Any] = {
        "run": run,
        "dag": run.dag,
        "given": given,
        "which": given.get("which", "failed"),
        "task": given.get("task", ""),
        "upstream": selection.upstream,
        "downstream": selection.downstream,
        "conf": text or json.dumps(run.conf, indent=2, ensure_ascii=False),
        "is_conf_open": bool(text),
    }
    try:
        conf = _conf(text)
        if request.method == "POST":
            tasks = rerunning.clear(run, selection, actor=actor_of(request), conf=conf)
            count = len(tasks)
            return done(f"{count} task{'s' if count != 1 else ''} of {run_id} run again.")
        tasks = rerunning.clear(run, selection, actor=actor_of(request), conf=conf, dry_run=True)
    except Invalid as error:
        return render(request, "runs_app/ask_clear.html", context | {"error": error}, status=422)
    context |= {"tasks": tasks[:LISTED], "count": len(tasks), "more": max(len(tasks) - LISTED, 0)}
    return render(request, "runs_app/ask_clear.html", context)


@require_http_methods(["GET", "POST"])
def repeat(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponse:
    """Runs it once more, as a run of its own, by the newest version."""
    run = access_run(request.user, dag_id, run_id, to="run")
    text = request.POST.get("conf", "")[:_LONGEST_CONF]
    context: dict[str, Any] = {
        "run": run,
        "dag": run.dag,
        "conf": text or json.dumps(run.conf, indent=2, ensure_ascii=False),
    }
    if request.method == "GET":
        return render(request, "runs_app/ask_repeat.html", context)
    try:
        made = repeating.repeat(run, actor=actor_of(request), conf=_conf(text))
    except SkytrailError as error:
        return render(request, "runs_app/ask_repeat.html", context | {"error": error}, status=422)
    return HttpResponseClientRedirect(of_run(made))


@require_POST
def note(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponse:
    """Keeps what somebody has to say about a run."""
    run = access_run(request.user, dag_id, run_id, to="run")
    try:
        noting.note(run, request.POST.get("note", "").replace("\r\n", "\n").strip())
    except Invalid as error:
        return refused(request, error)
    answer = trigger_client_event(HttpResponse(status=204), "saved", {})
    return trigger_client_event(answer, "told", {"text": "The note is kept."})


class NotJson(Invalid):
    """This is no JSON object."""


def _conf(text: str) -> dict[str, Any] | None:
    """What was written. Raises `NotJson`."""
    if not text.strip():
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotJson.because("conf", "not_json", f"it cannot be read as JSON: {error}") from None
    if not isinstance(value, dict):
        raise NotJson.because("conf", "not_an_object", "write an object: { … }")
    return value


def _selection(given: QueryDict) -> Selection:
    if given.get("which") == "task":
        # Boxes that are not ticked are not sent: `asked` says that they were there.
        downstream = "downstream" in given or "asked" not in given
        return Selection(
            task_ids=[given.get("task", "")], upstream="upstream" in given, downstream=downstream
        )
    return Selection(only_failed=given.get("which") != "all")
