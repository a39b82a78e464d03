"""Writing DAGs: the text, what is wrong at its lines, the graph beside it, what would change."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from dags_app.access import access_dag, check_allowed
from dags_app.actions import registration
from dags_app.domain.differences import differences
from dags_app.domain.layout import lay_out
from dags_app.domain.spec import DagSpec
from dags_app.models import Dag, DagSource
from dags_app.selectors.layouts import MOST
from dags_app.web.drafts import Draft, as_yaml, read
from dags_app.web.frame import frame
from dags_app.web.painting import graph
from skytrail.errors import SkytrailError
from skytrail.web.people import actor_of

#: What a new DAG begins with.
BEGINNING = """\
name: my_dag
description: What it is for
# schedule: "0 6 * * *"      # every day at six; leave it out to start it by hand
tasks:
  - id: extract
    type: bash
    command: echo "hello"
  - id: load
    type: bash
    depends_on: [extract]
    command: echo "world"
"""


@require_http_methods(["GET"])
def new(request: HttpRequest) -> HttpResponse:
    """The page for a new DAG."""
    check_allowed(request.user, "dags_app.add_dag", purpose="add", what="DAGs")
    context = {"text": BEGINNING, "title": "New DAG"} | _checked(read(BEGINNING))
    return render(request, "dags_app/editor.html", context)


@require_http_methods(["GET"])
def edit(request: HttpRequest, dag_id: str) -> HttpResponse:
    """The page for one that is there; of one that a file defines to be read only."""
    dag = access_dag(request.user, dag_id, to="change")
    assert dag.version is not None
    text = as_yaml(dag.version.spec)
    context = frame(request, dag, "edit/") | {"text": text, "number": dag.version.number}
    return render(request, "dags_app/editor.html", context | _checked(read(text)))


@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """What is wrong with the text, and its graph: while it is being written."""
    check_allowed(request.user, "dags_app.view_dag", purpose="see", what="DAGs")
    return render(request, "dags_app/checked.html", _checked(read(request.POST.get("text", ""))))


@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Shows what would change; with `confirmed` saves it.

    `dag` names the DAG that is being edited; without it, it is a new one.
    """
    draft = read(request.POST.get("text", ""))
    name = request.POST.get("dag", "")
    dag = access_dag(request.user, name, to="change") if name else None
    if dag is None:
        check_allowed(request.user, "dags_app.add_dag", purpose="add", what="DAGs")
    if draft.spec is None:
        return render(request, "dags_app/ask_save.html", {"flaws": draft.flaws}, status=422)
    context = _change(dag, draft.spec) | {"read_number": request.POST.get("number", "")}
    if "confirmed" not in request.POST:
        return render(request, "dags_app/ask_save.html", context)
    try:
        saved = _saved(request, dag, draft.spec)
    except SkytrailError as error:
        return render(request, "dags_app/ask_save.html", context | {"error": error}, status=422)
    word = f"as version {saved.version.number}" if saved.version_is_new else "; it means the same"
    messages.success(request, f"Saved {saved.dag.dag_id} {word}.")
    answer = HttpResponseClientRedirect(redirect("dag", saved.dag.dag_id).url)
    answer.headers["HX-Trigger"] = "saved"
    return answer


def _saved(request: HttpRequest, dag: Dag | None, spec: DagSpec) -> registration.Saved:
    author, note = actor_of(request), request.POST.get("note", "").strip()[:500]
    if dag is None:
        return registration.create(spec=spec, author=author, source=DagSource.API)
    return registration.replace(dag=dag, spec=spec, author=author, source=DagSource.API, note=note)


def _change(dag: Dag | None, spec: DagSpec) -> dict[str, Any]:
    """What saving would change."""
    if dag is None or dag.version is None:
        return {"name": spec.name, "count": len(spec.tasks), "is_new": True}
    return {
        "name": dag.dag_id,
        "dag": dag,
        "number": dag.version.number,
        "lines": list(differences(dag.version.spec, spec.canonical()).lines()),
    }


def _checked(draft: Draft) -> dict[str, Any]:
    """The context of `dags_app/checked.html`."""
    context: dict[str, Any] = {"flaws": draft.flaws, "spec": draft.spec}
    if draft.spec is not None and len(draft.spec.tasks) <= MOST:
        upstream = {task.id: list(task.depends_on) for task in draft.spec.tasks}
        types = {task.id: str(task.as_command().type.value) for task in draft.spec.tasks}
        context["graph"] = graph(lay_out(upstream), types, {})
    return context
