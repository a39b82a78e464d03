"""Artifacts in the admin: to look at, and to download."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html
from django.utils.safestring import SafeString

from dags_app.admin.pages import ReadOnly
from runs_app.admin.shown import dag_link, link
from runs_app.models import Artifact


@admin.register(Artifact)
class ArtifactAdmin(ReadOnly):
    """Files that tasks left, and outputs beyond 64 KiB."""

    list_display = ["name", "size_column", "task_column", "dag_column", "created_at", "expires_at", "download"]  # fmt: skip # noqa: E501
    list_filter = ["is_output", "created_at"]
    search_fields = ["name", "task_run__task_id", "task_run__run__run_id"]
    search_help_text = "Name, task or run"
    ordering = ["-created_at", "-id"]
    fields = ["name", "download", "media_type", "size_column", "sha256", "is_output", "dag_column", "task_column", "created_at", "expires_at"]  # fmt: skip # noqa: E501
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Artifact]:
        """Those that may be seen."""
        return Artifact.objects.visible_to(request.user).shown().order_by(*self.ordering)

    @admin.display(description="size", ordering="size")
    def size_column(self, artifact: Artifact) -> str:
        """In units that people read."""
        return filesizeformat(artifact.size or 0)

    @admin.display(description="task")
    def task_column(self, artifact: Artifact) -> SafeString:
        """The task run that left it."""
        task = artifact.task_run
        assert task is not None  # of those that are shown
        return link("runs_app_taskrun", task.pk, f"{task}, {task.run.run_id}")

    @admin.display(description="DAG")
    def dag_column(self, artifact: Artifact) -> SafeString | str:
        """Its DAG."""
        assert artifact.task_run is not None
        return dag_link(artifact.task_run.run.dag)

    @admin.display(description="content")
    def download(self, artifact: Artifact) -> SafeString | str:
        """The way to it, while it is there."""
        if artifact.is_gone:
            return "gone: its time was up"
        address = f"/api/v1/artifacts/{artifact.pk}/content"
        return format_html('<a class="sky-link" href="{}" download>Download</a>', address)
