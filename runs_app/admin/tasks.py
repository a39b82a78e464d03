"""Task runs in the admin: the list, and the page of one with its log."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesCheckboxFilter

from dags_app.admin.pages import Shown, Told, actor_of, page_context
from runs_app.access import access_task_run
from runs_app.actions import cancellation, rerunning
from runs_app.admin.shown import as_json, badge, dag_link, duration, link
from runs_app.domain.artifacts import handle_in
from runs_app.domain.clearing import Selection
from runs_app.domain.states import TaskState
from runs_app.models import Attempt, LogChunk, TaskRun, Transition
from runs_app.selectors.logs import Position, chunks_after
from runs_app.selectors.outputs import rows_of
from runs_app.selectors.rendered import rendered_of

#: So much of a log's end is shown on the page, in characters; the rest is behind a link.
LOG_END = 32_768

#: Chunks that surely hold it, and attempts and moves that are shown.
CHUNKS = 20
LATEST = 100


@admin.register(TaskRun)
class TaskRunAdmin(Shown):
    """Tasks of runs: where each stands, what it tried, what it wrote."""

    page_template = "admin/runs_app/taskrun/change_form.html"
    list_display = ["name", "state_badge", "run_link", "dag_column", "tries", "queued_at", "started_at", "took", "worker"]  # fmt: skip # noqa: E501
    list_filter = [
        ("state", ChoicesCheckboxFilter),
        ("dag", AutocompleteSelectFilter),
        "queued_at",
    ]
    search_fields = ["task_id", "run__run_id"]
    search_help_text = "Task or run id"
    ordering = ["-pk"]

    @admin.display(description="task", ordering="task_id")
    def name(self, task: TaskRun) -> str:
        """Which task; with its place where it is one of many."""
        return str(task)

    def get_queryset(self, request: HttpRequest) -> QuerySet[TaskRun]:
        """The task runs of the runs that may be seen."""
        if not self.has_view_permission(request):
            return TaskRun.objects.none()
        return TaskRun.objects.select_related("run", "dag")

    @admin.display(description="State", ordering="state")
    def state_badge(self, task: TaskRun) -> SafeString:
        """Where it stands."""
        return badge(task.state)

    @admin.display(description="Run", ordering="run")
    def run_link(self, task: TaskRun) -> SafeString:
        """Its run."""
        return link("runs_app_dagrun", task.run_id, task.run.run_id)

    @admin.display(description="DAG", ordering="dag__dag_id")
    def dag_column(self, task: TaskRun) -> SafeString | str:
        """Its DAG."""
        return dag_link(task.dag)

    @admin.display(description="Attempt", ordering="attempt", empty_value="–")
    def tries(self, task: TaskRun) -> str | None:
        """Which try, of how many."""
        return f"{task.attempt} of {task.max_attempts}" if task.attempt else None

    @admin.display(description="Duration", empty_value="–")
    def took(self, task: TaskRun) -> str | None:
        """How long it took."""
        return duration(task.started_at, task.finished_at)

    def get_urls(self) -> list[URLPattern]:
        """Those of every admin, the log, and the buttons."""
        view = self.admin_site.admin_view
        return [
            path("<uuid:key>/log/", view(self.log), name="runs_app_taskrun_log"),
            path("<uuid:key>/clear/", view(require_POST(self.clear)), name="runs_app_taskrun_clear"),  # noqa: E501
            path("<uuid:key>/cancel/", view(require_POST(self.cancel)), name="runs_app_taskrun_cancel"),  # noqa: E501
            *super().get_urls(),
        ]  # fmt: skip

    def has_run_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether tasks may be cancelled and cleared."""
        return self.has_view_permission(request) and request.user.has_perm("dags_app.run_dag")

    def context(self, request: HttpRequest, task: TaskRun) -> dict[str, Any]:
        attempts = list(Attempt.objects.filter(task_run=task).order_by("-epoch")[:LATEST])
        moves = Transition.objects.filter(run=task.run_id, task_run=task).order_by("-at", "-id")
        outputs = list(rows_of(task).order_by("name"))
        rendered = rendered_of(task)
        state = TaskState(task.state)
        return page_context(self, request, str(task)) | {
            "task": task,
            "original": task,
            "badge": badge(task.state),
            "dag_link": dag_link(task.dag),
            "run_link": self.run_link(task),
            "took": duration(task.started_at, task.finished_at),
            "is_over": state.is_final,
            "attempts": [
                (attempt, badge(attempt.state), duration(attempt.started_at, attempt.finished_at))
                for attempt in attempts
            ],
            "moves": list(moves[:LATEST]),
            "rendered": rendered
            and [
                (name, value if isinstance(value, str) else as_json(value))
                for name, value in rendered.fields.items()
            ],
            "outputs": [
                (output.name, as_json(output.value), _artifact_in(output.value))
                for output in outputs
            ],
            "log": _end_of_log(task),
            "is_dead": state is TaskState.FAILED and task.dropped_at is None,
            "may_drop": self.has_run_permission(request),
            "may_run": self.has_run_permission(request) and task.dag.deleted_at is None,
            "may_clear": state not in {TaskState.WAITING, TaskState.RESTARTING},
        }

    def log(self, request: HttpRequest, key: str) -> HttpResponse:
        """Everything that it has written, as plain text."""
        task = self.get_object(request, key)
        if task is None:
            raise PermissionDenied
        text = "".join(piece for _, piece in chunks_after(task, None, Position()))
        return HttpResponse(text, content_type="text/plain; charset=utf-8")

    def clear(self, request: HttpRequest, key: str) -> HttpResponseRedirect:
        """The button that has it run again, with what follows it."""
        task = self._to_run(request, key)
        with Told(request):
            selection = Selection(task_ids=[str(task)])
            cleared = rerunning.clear(task.run, selection, actor=actor_of(request))
            text = f"Tasks that run again: {len(cleared)}."
            self.message_user(request, text, messages.SUCCESS)
        return self._back(task)

    def cancel(self, request: HttpRequest, key: str) -> HttpResponseRedirect:
        """The button that stops it."""
        task = self._to_run(request, key)
        with Told(request):
            cancellation.cancel_task(task, actor=actor_of(request))
            self.message_user(request, "The task is being cancelled.", messages.SUCCESS)
        return self._back(task)

    def _to_run(self, request: HttpRequest, key: str) -> TaskRun:
        task = self.get_object(request, key)
        if task is None:
            raise PermissionDenied
        with Told(request):
            return access_task_run(
                request.user,
                task.dag.dag_id,
                task.run.run_id,
                task.task_id,
                map_index=task.map_index,
                to="run",
            )
        raise PermissionDenied

    def _back(self, task: TaskRun) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("admin:runs_app_taskrun_change", args=[task.pk]))


def _artifact_in(value: Any) -> UUID | None:
    handle = handle_in(value)
    return None if handle is None else handle.id


def _end_of_log(task: TaskRun) -> str:
    chunks = LogChunk.objects.filter(task_run=task).order_by("-epoch", "-sequence")
    pieces = list(chunks.values_list("text", flat=True)[:CHUNKS])
    text = "".join(reversed(pieces))
    if len(text) <= LOG_END:
        return text
    return "…\n" + text[-LOG_END:].partition("\n")[2]
