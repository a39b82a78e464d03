"""Runs in the admin: the list, the page of one, and the verbs: trigger, cancel, clear."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Model, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesCheckboxFilter

from dags_app.admin.pages import COUNTED, Shown, Told, actor_of, page_context, summary
from runs_app.access import access_run
from runs_app.actions import cancellation, repeating, rerunning
from runs_app.admin.shown import as_json, badge, dag_link, duration, link
from runs_app.admin.trigger import trigger
from runs_app.domain.clearing import Selection
from runs_app.domain.states import RunState, TaskState
from runs_app.models import DagRun, DeadLetter, TaskRun, Transition
from runs_app.selectors.tasks import tasks_of
from skytrail.errors import Conflict

#: Tasks on one page of a run, and moves of its history.
TASKS_PER_PAGE = 100
MOVES = 50

#: Runs shown in a panel.
RECENT = 10


@admin.register(DagRun)
class DagRunAdmin(Shown):
    """Runs are watched, cancelled and cleared; their rows are written by the engine alone."""

    page_template = "admin/runs_app/dagrun/change_form.html"
    list_display = ["name", "dag_column", "state_badge", "logical_date", "queued_at", "took"]
    list_filter = [
        ("state", ChoicesCheckboxFilter),
        ("run_type", ChoicesCheckboxFilter),
        ("dag", AutocompleteSelectFilter),
        "queued_at",
    ]
    search_fields = ["run_id", "dag__dag_id"]
    search_help_text = "Run id or DAG"
    ordering = ["-queued_at", "-id"]
    actions = ["cancel_selected", "clear_failed_selected"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[DagRun]:
        """The runs that may be seen, without their definitions."""
        columns = [field.name for field in self.opts.concrete_fields]
        runs = DagRun.objects.visible_to(request.user).select_related("dag", "version")
        return runs.only(*columns, "dag__dag_id", "dag__deleted_at", "version__number")

    def has_run_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether runs may be triggered, cancelled and cleared."""
        return self.has_view_permission(request) and request.user.has_perm("dags_app.run_dag")

    # ------------------------------------------------------------- the list

    @admin.display(description="Run", ordering="run_id")
    def name(self, run: DagRun) -> SafeString:
        """Its id, and where it came from."""
        origin = f"by {run.triggered_by}, " if run.triggered_by else ""
        about = f"{run.run_type} {origin}version {run.version.number}"
        return format_html(
            '<span class="sky-name">{}</span><span class="sky-about">{}</span>', run.run_id, about
        )

    @admin.display(description="DAG", ordering="dag__dag_id")
    def dag_column(self, run: DagRun) -> SafeString | str:
        """Its DAG."""
        return dag_link(run.dag)

    @admin.display(description="State", ordering="state")
    def state_badge(self, run: DagRun) -> SafeString:
        """Where it stands."""
        return badge(run.state)

    @admin.display(description="Duration", empty_value="–")
    def took(self, run: DagRun) -> str | None:
        """How long it took."""
        return duration(run.started_at, run.finished_at)

    @admin.action(description="Cancel", permissions=["run"])
    def cancel_selected(self, request: HttpRequest, runs: QuerySet[DagRun]) -> None:
        """Stops those that are not over."""
        done = 0
        for run in runs:
            try:
                cancellation.cancel_run(run, actor=actor_of(request))
                done += 1
            except Conflict as error:
                messages.warning(request, summary(error))
        self.message_user(request, f"Runs being cancelled: {done}.", messages.SUCCESS)

    @admin.action(description="Run failed tasks again", permissions=["run"])
    def clear_failed_selected(self, request: HttpRequest, runs: QuerySet[DagRun]) -> None:
        """Clears what has failed in each."""
        for run in runs:
            with Told(request):
                self._clear(request, run, only_failed=True)

    # ------------------------------------------------------------- the page

    def get_urls(self) -> list[URLPattern]:
        """Those of every admin, and the buttons and panels."""
        view = self.admin_site.admin_view
        return [
            path("trigger/", view(self.trigger), name="runs_app_dagrun_trigger"),
            path("recent/", view(self.recent), name="runs_app_dagrun_recent"),
            path("<uuid:key>/cancel/", view(require_POST(self.cancel)), name="runs_app_dagrun_cancel"),  # noqa: E501
            path("<uuid:key>/clear/", view(require_POST(self.clear)), name="runs_app_dagrun_clear"),
            path("<uuid:key>/repeat/", view(require_POST(self.repeat)), name="runs_app_dagrun_repeat"),  # noqa: E501
            *super().get_urls(),
        ]  # fmt: skip

    def context(self, request: HttpRequest, run: DagRun) -> dict[str, Any]:
        counted = TaskRun.objects.filter(run=run).values("state").annotate(count=Count("pk"))
        counts = {row["state"]: row["count"] for row in counted}
        tasks = Paginator(tasks_of(run), TASKS_PER_PAGE).get_page(request.GET.get("p"))
        moves = Transition.objects.filter(run=run).order_by("-at", "-id")
        is_over = RunState(run.state).is_final
        failed = {TaskState.FAILED, TaskState.UPSTREAM_FAILED, TaskState.CANCELLED}
        return page_context(self, request, run.run_id) | {
            "run": run,
            "original": run,
            "conf": as_json(run.conf),
            "earlier_confs": [
                {**earlier, "conf": as_json(earlier.get("conf"))} for earlier in run.earlier_confs
            ],
            "repeats_link": run.repeats
            and link("runs_app_dagrun", run.repeats.pk, run.repeats.run_id),
            "repeated_by": [
                link("runs_app_dagrun", other.pk, other.run_id)
                for other in run.repeated_by.only("run_id").order_by("queued_at")[:RECENT]
            ],
            "badge": badge(run.state),
            "dag_link": dag_link(run.dag),
            "version_link": link(
                "dags_app_dagversion", run.version_id, f"version {run.version.number}"
            ),
            "took": duration(run.started_at, run.finished_at),
            "is_over": is_over,
            "counts": [(badge(state), counts[state]) for state in TaskState if state in counts],
            "tasks": tasks,
            "rows": [_row(task) for task in tasks],
            "moves": list(moves.select_related("task_run")[:MOVES]),
            "has_failed": any(state in counts for state in failed),
            "may_run": self.has_run_permission(request) and run.dag.deleted_at is None,
        }

    def cancel(self, request: HttpRequest, key: str) -> HttpResponseRedirect:
        """The button that stops a run."""
        run = self._to_run(request, key)
        with Told(request):
            cancellation.cancel_run(run, actor=actor_of(request))
            self.message_user(request, "The run is being cancelled.", messages.SUCCESS)
        return self._back(run)

    def repeat(self, request: HttpRequest, key: str) -> HttpResponseRedirect:
        """The button that runs it once more, as a run of its own, by the newest version."""
        run = self._to_run(request, key)
        with Told(request):
            run = repeating.repeat(run, actor=actor_of(request))
            self.message_user(request, "This is the new run.", messages.SUCCESS)
        return self._back(run)

    def clear(self, request: HttpRequest, key: str) -> HttpResponseRedirect:
        """The buttons that have all tasks run again, or those that failed."""
        run = self._to_run(request, key)
        with Told(request):
            self._clear(request, run, only_failed=request.POST.get("what") != "all")
        return self._back(run)

    def _clear(self, request: HttpRequest, run: DagRun, *, only_failed: bool) -> None:
        selection = Selection(only_failed=only_failed)
        tasks = rerunning.clear(run, selection, actor=actor_of(request))
        if tasks:
            text = f"Tasks of {run.run_id} that run again: {len(tasks)}."
            self.message_user(request, text, messages.SUCCESS)
        else:
            text = f"There is no such task in {run.run_id}: nothing runs again."
            self.message_user(request, text, messages.INFO)

    def _to_run(self, request: HttpRequest, key: str) -> DagRun:
        run = self.get_object(request, key)
        if run is None:
            raise PermissionDenied
        with Told(request):
            return access_run(request.user, run.dag.dag_id, run.run_id, to="run")
        raise PermissionDenied

    def _back(self, run: DagRun) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("admin:runs_app_dagrun_change", args=[run.pk]))

    # ------------------------------------------------------------- trigger and panels

    def trigger(self, request: HttpRequest) -> HttpResponseBase:
        """The page that asks for a new run."""
        return trigger(self, request)

    def recent(self, request: HttpRequest) -> TemplateResponse:
        """The latest runs, of all DAGs or of one, for other pages."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        name = request.GET.get("dag", "").replace("\x00", "")
        runs = self.get_queryset(request).order_by("-queued_at", "-id")
        if name:
            runs = runs.filter(dag__dag_id=name, dag__deleted_at=None)
        rows = [(run, badge(run.state), duration(run.started_at, run.finished_at))
                for run in runs[:RECENT]]  # fmt: skip
        dead = 0 if name else _count(DeadLetter.objects.visible_to(request.user))
        context = {"rows": rows, "of_one": bool(name), "dead": dead}
        return TemplateResponse(request, "skytrail/recent_runs.html", context)


def _count(letters: QuerySet[DeadLetter]) -> int:
    """How many there are, or `COUNTED`: what is read often counts no millions."""
    return letters[:COUNTED].count()


def _row(task: TaskRun) -> dict[str, Any]:
    """A task as the run's page shows it."""
    attempts = list(task.attempts.all())
    last = attempts[-1] if attempts else None
    is_bad = last is not None and last.state not in {TaskState.SUCCESS, TaskState.RUNNING}
    return {
        "task": task,
        "link": link("runs_app_taskrun", task.pk, str(task)),
        "badge": badge(task.state),
        "took": duration(task.started_at, task.finished_at),
        "error": last if is_bad else None,
    }
