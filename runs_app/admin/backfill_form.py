"""The page on which a backfill is asked for; its dates are shown before anything is created."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold import widgets

from dags_app.access import access_dag
from dags_app.admin.fields import Choice, Json, Typed, Words, json_area, said
from dags_app.admin.pages import Told, actor_of, page_context
from dags_app.domain.fields import read_moment
from dags_app.domain.timing.zones import check_timezone
from dags_app.models import Dag
from runs_app.actions import backfilling
from runs_app.domain.backfills import Reprocess
from skytrail.errors import SkytrailError

#: Dates of a plan that are listed; the rest is counted.
LISTED = 200


def _moment(text: str) -> Typed:
    box = widgets.UnfoldAdminTextInputWidget(attrs={"type": "datetime-local", "step": "any"})
    return Typed(widget=box, help_text=text)


class BackfillForm(forms.Form):
    """What is asked for."""

    from_date = _moment("The first date, in the DAG's time zone.")
    to_date = _moment("The last date, which counts too.")
    reprocess_behavior = Choice(
        Reprocess, initial=Reprocess.NONE.value, help_text="Which runs that are there run again."
    )
    max_active_runs = forms.IntegerField(
        initial=10,
        min_value=1,
        max_value=10_000,
        widget=widgets.UnfoldAdminTextInputWidget(attrs={"type": "number"}),
        help_text="Of its runs, so many at once.",
    )
    run_backwards = forms.BooleanField(
        required=False,
        widget=widgets.UnfoldBooleanSwitchWidget(),
        help_text="The newest date first.",
    )
    task_ids = Words(label="Tasks", help_text="Only these, separated by commas; empty for all.")
    conf = Json(widget=json_area(rows=4, placeholder="{}"), help_text="Parameters of its runs.")

    def clean_from_date(self) -> datetime:
        """The moment, in no zone yet."""
        return self._moment("from_date")

    def clean_to_date(self) -> datetime:
        """The same of the other end."""
        return self._moment("to_date")

    def clean_reprocess_behavior(self) -> Reprocess:
        """One of the three."""
        word = self.cleaned_data["reprocess_behavior"]
        if word not in list(Reprocess):
            raise ValidationError(f"use one of {', '.join(Reprocess)}")
        return Reprocess(word)

    def request(self) -> backfilling.BackfillRequest:
        """The backfill that is asked for."""
        return backfilling.BackfillRequest(
            **{**self.cleaned_data, "task_ids": self.cleaned_data["task_ids"] or None}
        )

    def refuse(self, error: SkytrailError) -> None:
        """Shows each problem at its field, and the others at the top."""
        if not error.problems:
            self.add_error(None, error.message)
        for problem in error.problems:
            head = problem.path.partition(".")[0].partition("[")[0]
            self.add_error(head if head in self.fields else None, said(problem))

    def _moment(self, name: str) -> datetime:
        moment = read_moment(self.cleaned_data[name])
        if moment is None or not 1900 <= moment.year < 9000:
            raise ValidationError("write a date and time like 2026-01-31 09:00")
        return moment


def ask(model_admin: ModelAdmin[Any], request: HttpRequest) -> HttpResponseBase:
    """Asks for a backfill: shows its dates first, then creates it."""
    dag = _dag(request)
    form = BackfillForm(request.POST or None, use_required_attribute=False)
    plan: backfilling.Plan | None = None
    if request.method == "POST" and form.is_valid():
        try:
            if request.POST.get("what") == "create":
                made = backfilling.create(dag, form.request(), actor=actor_of(request))
                messages.success(request, f"The backfill of {dag.dag_id} has begun.")
                page = reverse("admin:runs_app_backfill_change", args=[made.pk])
                return HttpResponseRedirect(page)
            plan = backfilling.plan(dag, form.request())
        except SkytrailError as error:
            form.refuse(error)
    context = page_context(model_admin, request, f"Backfill {dag.dag_id}") | {
        "dag": dag,
        "original": dag,
        "form": form,
        "plan": None if plan is None else _shown(dag, plan),
        "back": reverse("admin:dags_app_dag_change", args=[dag.pk]),
    }
    return TemplateResponse(request, "admin/runs_app/backfill/ask.html", context)


def _dag(request: HttpRequest) -> Dag:
    name = request.GET.get("dag", "")
    if not name or "\x00" in name:
        raise Http404("Name the DAG.")
    with Told(request):
        return access_dag(request.user, name, to="run")
    raise PermissionDenied


def _shown(dag: Dag, plan: backfilling.Plan) -> dict[str, Any]:
    zone = check_timezone(dag.timezone)
    return {
        "count": len(plan.dates),
        "is_more": plan.is_more,
        "left": len(plan.dates) - LISTED,
        "rows": [
            (each, each.logical_date.astimezone(zone), each.treatment.replace("_", " "))
            for each in plan.dates[:LISTED]
        ],
    }
