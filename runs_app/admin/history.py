"""Attempts and transitions in the admin: what happened, to be read."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesCheckboxFilter

from dags_app.admin.pages import ReadOnly
from runs_app.admin.shown import as_json, badge, duration, link
from runs_app.models import Attempt, Transition
from runs_app.selectors.rendered import fields_of


@admin.register(Attempt)
class AttemptAdmin(ReadOnly):
    """One row per execution."""

    list_display = ["number", "task_link", "run_link", "state_badge", "reason", "exit_code", "worker", "started_at", "took"]  # fmt: skip # noqa: E501
    list_filter = [
        ("state", ChoicesCheckboxFilter),
        ("task_run__dag", AutocompleteSelectFilter),
        "started_at",
    ]
    search_fields = ["task_run__task_id", "task_run__run__run_id", "worker"]
    search_help_text = "Task, run id or worker"
    ordering = ["-pk"]
    fields = [
        "task_link", "run_link", "number", "epoch", "state_badge", "reason", "message",
        "exit_code", "worker", "started_at", "finished_at", "took", "rendered",
    ]  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Attempt]:
        """The attempts of the runs that may be seen."""
        if not self.has_view_permission(request):
            return Attempt.objects.none()
        return Attempt.objects.select_related("task_run__run")

    @admin.display(description="Task", ordering="task_run__task_id")
    def task_link(self, attempt: Attempt) -> SafeString:
        """What was executed."""
        return link("runs_app_taskrun", attempt.task_run_id, str(attempt.task_run))

    @admin.display(description="Run")
    def run_link(self, attempt: Attempt) -> SafeString:
        """In which run."""
        run = attempt.task_run.run
        return link("runs_app_dagrun", run.pk, run.run_id)

    @admin.display(description="State", ordering="state")
    def state_badge(self, attempt: Attempt) -> SafeString:
        """How it ended."""
        return badge(attempt.state)

    @admin.display(description="Duration", empty_value="–")
    def took(self, attempt: Attempt) -> str | None:
        """How long it took."""
        return duration(attempt.started_at, attempt.finished_at)

    @admin.display(description="Rendered fields", empty_value="–")
    def rendered(self, attempt: Attempt) -> SafeString | None:
        """What the templates were filled in to for this execution."""
        fields = fields_of(attempt)
        if fields is None:
            return None
        return format_html('<pre class="sky-text" dir="auto">{}</pre>', as_json(fields))


@admin.register(Transition)
class TransitionAdmin(ReadOnly):
    """One row per move of a run or of one of its tasks."""

    list_display = ["at", "run_link", "task_link", "before", "after", "reason", "actor", "epoch"]
    list_display_links = ["at"]
    list_filter = [("run__dag", AutocompleteSelectFilter), "at"]
    search_fields = ["run__run_id", "task_run__task_id", "actor"]
    search_help_text = "Run id, task or actor"
    ordering = ["-pk"]
    fields = ["at", "run_link", "task_link", "before", "after", "reason", "actor", "epoch"]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Transition]:
        """The moves of the runs that may be seen."""
        if not self.has_view_permission(request):
            return Transition.objects.none()
        return Transition.objects.select_related("run", "task_run")

    @admin.display(description="Run")
    def run_link(self, move: Transition) -> SafeString:
        """What moved, or whose task."""
        return link("runs_app_dagrun", move.run_id, move.run.run_id)

    @admin.display(description="Task", empty_value="(the run)")
    def task_link(self, move: Transition) -> SafeString | None:
        """Which task moved; none where the run itself did."""
        if move.task_run is None:
            return None
        return link("runs_app_taskrun", move.task_run.pk, str(move.task_run))

    @admin.display(description="From", ordering="from_state", empty_value="–")
    def before(self, move: Transition) -> SafeString | None:
        """The state it left."""
        return badge(move.from_state) if move.from_state else None

    @admin.display(description="To", ordering="to_state")
    def after(self, move: Transition) -> SafeString:
        """The state it came to."""
        return badge(move.to_state)
