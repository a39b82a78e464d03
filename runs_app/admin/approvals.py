"""Approvals in the admin: a list of what waits, and a page with a button for each option."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import DropdownFilter

from dags_app.admin.pages import Shown, Told, actor_of, page_context
from runs_app.access import access_approval
from runs_app.actions import approvals
from runs_app.admin.shown import badge, dag_link, link
from runs_app.models import Approval
from runs_app.models.approval import ApprovalQuerySet


class PendingFilter(DropdownFilter):  # type: ignore[misc]  # untyped library
    """Whether somebody still waits for the answer."""

    title = "answer"
    parameter_name = "answer"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The two."""
        return [("pending", "is waited for"), ("decided", "was given")]

    def queryset(self, request: HttpRequest, queryset: ApprovalQuerySet) -> ApprovalQuerySet:
        """Those."""
        if self.value() == "pending":
            return queryset.pending()
        return queryset.exclude(choice=None) if self.value() == "decided" else queryset


@admin.register(Approval)
class ApprovalAdmin(Shown):
    """What tasks have asked people."""

    page_template = "admin/runs_app/approval/change_form.html"
    list_display = ["subject", "standing", "dag_column", "task_link", "requested_at", "decided_by"]
    list_filter = [PendingFilter, "requested_at"]
    search_fields = ["subject", "task_run__task_id", "task_run__run__run_id"]
    search_help_text = "Subject, task or run id"
    ordering = ["-requested_at", "-id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Approval]:
        """Those of the DAGs that may be seen."""
        visible: ApprovalQuerySet = Approval.objects.visible_to(request.user)
        return visible.select_related("task_run", "task_run__run", "task_run__dag")

    def has_run_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether they may be answered."""
        return self.has_view_permission(request) and request.user.has_perm("dags_app.run_dag")

    @admin.display(description="Answer")
    def standing(self, approval: Approval) -> SafeString | str:
        """What was chosen, or whether anybody waits."""
        if approval.choice is not None:
            return approval.choice
        return badge("deferred") if approval.is_pending else "void"

    @admin.display(description="DAG")
    def dag_column(self, approval: Approval) -> SafeString | str:
        """The DAG of the task that asks."""
        return dag_link(approval.task_run.dag)

    @admin.display(description="Task")
    def task_link(self, approval: Approval) -> SafeString:
        """The task that asks."""
        return link("runs_app_taskrun", approval.task_run_id, str(approval.task_run))

    def get_urls(self) -> list[URLPattern]:
        """And where an answer goes."""
        answer = self.admin_site.admin_view(require_POST(self.decide))
        return [
            path("<uuid:key>/decide/", answer, name="runs_app_approval_decide"),
            *super().get_urls(),
        ]

    def context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        task = row.task_run
        user = request.user.get_username()
        return page_context(self, request, row.subject) | {
            "approval": row,
            "original": row,
            "dag_link": dag_link(task.dag),
            "run_link": link("runs_app_dagrun", task.run_id, task.run.run_id),
            "task_link": link("runs_app_taskrun", task.pk, str(task)),
            "may_decide": row.is_pending
            and self.has_run_permission(request)
            and (not row.assigned_users or user in row.assigned_users),
        }

    def decide(self, request: HttpRequest, key: str) -> HttpResponseRedirect:
        """A button was pressed."""
        with Told(request):
            approval = access_approval(request.user, key, to="run")
            choice = request.POST.get("choice", "")
            approvals.decide(
                approval,
                choice=choice,
                note=request.POST.get("note", ""),
                actor=actor_of(request),
                username=request.user.get_username(),
            )
            self.message_user(request, f"{choice}: the task goes on.", messages.SUCCESS)
        if self.get_object(request, key) is None:
            raise PermissionDenied
        return HttpResponseRedirect(reverse("admin:runs_app_approval_change", args=[key]))
