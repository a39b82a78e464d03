"""The page on which runs are triggered: of one DAG, or of several at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold import widgets

from dags_app.access import access_dag
from dags_app.admin.fields import Json, Typed, json_area, said
from dags_app.admin.pages import Told, actor_of, page_context
from dags_app.domain.fields import read_moment
from dags_app.models import Dag
from runs_app.actions.launching import Launched, RunRequest, launch
from skytrail.errors import SkytrailError, listed

#: As many DAGs as one click may trigger.
MAX_DAGS = 50


class TriggerForm(forms.Form):
    """What may be said about a run that is asked for."""

    conf = Json(
        widget=json_area(rows=6, placeholder="{}"),
        help_text="Values for the parameters, as a JSON object; defaults fill in what is left out.",
    )
    logical_date = Typed(
        widget=widgets.UnfoldAdminTextInputWidget(attrs={"type": "datetime-local", "step": "any"}),
        help_text="The time that the run is about, in UTC. May be left empty.",
    )
    run_id = Typed(help_text="Made up if left empty.")

    def __init__(self, *args: Any, dags: Sequence[Dag], **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "use_required_attribute": False})
        if len(dags) > 1:
            del self.fields["run_id"]

    def clean_logical_date(self) -> datetime | None:
        """The moment, in UTC."""
        text = self.cleaned_data["logical_date"]
        moment = read_moment(text) if text else None
        if text and moment is None:
            raise ValidationError("write a date and time like 2026-01-31 09:00")
        if moment is not None and not 1900 <= moment.year < 9000:
            raise ValidationError("use a year from 1900 to 8999")
        return moment.replace(tzinfo=moment.tzinfo or UTC) if moment else None

    def request(self) -> RunRequest:
        """The run that is asked for."""
        return RunRequest(
            run_id=self.cleaned_data.get("run_id") or None,
            logical_date=self.cleaned_data["logical_date"],
            conf=self.cleaned_data["conf"],
        )

    def refuse(self, error: SkytrailError) -> None:
        """Shows each problem at its field, and the others at the top."""
        if not error.problems:
            self.add_error(None, error.message)
        for problem in error.problems:
            head, _, rest = problem.path.partition(".")
            if head in self.fields:
                self.add_error(head, said(problem, where=rest))
            else:
                self.add_error(None, problem.message)


def trigger(model_admin: ModelAdmin[Any], request: HttpRequest) -> HttpResponseBase:
    """Asks for conf and logical date, then starts the runs: all of them or none."""
    dags = _dags(request)
    if request.method == "POST":
        form = TriggerForm(request.POST, dags=dags)
        if form.is_valid() and (launched := _launch(request, form, dags)):
            return _to_runs(request, dags, launched)
    else:
        form = TriggerForm(initial={"conf": _defaults(dags)}, dags=dags)
    title = f"Trigger {listed([dag.dag_id for dag in dags])}"
    context = page_context(model_admin, request, title) | {
        "dags": dags,
        "original": dags[0] if len(dags) == 1 else None,
        "form": form,
        "params": _params(dags[0]) if len(dags) == 1 else [],
        "back": reverse("admin:dags_app_dag_change", args=[dags[0].pk]),
    }
    return TemplateResponse(request, "admin/runs_app/dagrun/trigger.html", context)


def _dags(request: HttpRequest) -> list[Dag]:
    names = list(dict.fromkeys(request.GET.getlist("dag")))
    if not names or len(names) > MAX_DAGS or any("\x00" in name for name in names):
        raise Http404("Name the DAGs to trigger.")
    with Told(request):
        return [access_dag(request.user, name, to="run") for name in names]
    raise PermissionDenied


def _launch(request: HttpRequest, form: TriggerForm, dags: Sequence[Dag]) -> list[Launched]:
    try:
        with transaction.atomic():
            wanted = form.request()
            return [launch(dag, wanted, actor=actor_of(request)) for dag in dags]
    except SkytrailError as error:
        form.refuse(error)
        return []


def _to_runs(
    request: HttpRequest, dags: Sequence[Dag], launched: Sequence[Launched]
) -> HttpResponseRedirect:
    messages.success(request, f"Triggered {listed([dag.dag_id for dag in dags])}.")
    if len(launched) == 1:
        return HttpResponseRedirect(
            reverse("admin:runs_app_dagrun_change", args=[launched[0].run_pk])
        )
    return HttpResponseRedirect(reverse("admin:runs_app_dagrun_changelist"))


def _defaults(dags: Sequence[Dag]) -> dict[str, Any]:
    """What the conf begins with."""
    if len(dags) > 1:
        return {}
    return {name: s["default"] for name, s in dags[0].params.items() if "default" in s}


def _params(dag: Dag) -> list[dict[str, Any]]:
    """The parameters as a table: name, type, default, and what they are for."""
    return [
        {
            "name": name,
            "type": schema.get("type", "any"),
            "enum": ", ".join(map(_json, schema.get("enum", []))),
            "default": _json(schema["default"]) if "default" in schema else "",
            "is_required": "default" not in schema,
            "description": schema.get("description", ""),
        }
        for name, schema in dag.params.items()
    ]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
