"""A DAG's versions over REST."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from dags_app.access import access_dag, access_version
from dags_app.actions import rolling_back, taking_over
from dags_app.api.serializers import (
    DagDetailSerializer,
    VersionDetailSerializer,
    VersionSerializer,
)
from dags_app.domain.differences import Change, Differences, differences
from dags_app.models import DagSource, DagVersion
from skytrail.rest.lists import ListView
from skytrail.rest.pagination import NewestFirst
from skytrail.rest.requests import actor_of, body
from skytrail.rest.showing import show
from skytrail.rest.views import Nothing, View


class ChangeSerializer(serializers.Serializer[Any]):
    """A field that differs; null where it is left at its default."""

    path = serializers.CharField(help_text="Like `retries` or `env.DAY`.")
    before = serializers.JSONField()
    after = serializers.JSONField()


class ChangedTaskSerializer(serializers.Serializer[Any]):
    """A task that both have, and that is not the same."""

    task_id = serializers.CharField()
    changed_fields = ChangeSerializer(many=True)


def _edges() -> serializers.ListField:
    pair = serializers.ListField(child=serializers.CharField(), min_length=2, max_length=2)
    help_text = "Each from a task to one that depends on it."
    return serializers.ListField(child=pair, help_text=help_text)


class DifferencesSerializer(serializers.Serializer[Any]):
    """What changes from one definition to another."""

    is_same = serializers.BooleanField()
    changed_fields = ChangeSerializer(many=True)
    added_tasks = serializers.ListField(child=serializers.CharField())
    removed_tasks = serializers.ListField(child=serializers.CharField())
    changed_tasks = ChangedTaskSerializer(many=True)
    added_edges = _edges()
    removed_edges = _edges()
    text = serializers.CharField(help_text="The same, to be read.")


class VersionPage(NewestFirst):
    """Newest first."""

    ordering = ("-number",)


class VersionListView(ListView):
    """The versions of a DAG."""

    pagination_class = VersionPage

    @extend_schema(operation_id="versions_list", responses=VersionSerializer(many=True))
    def get(self, request: Request, dag_id: str) -> Response:
        """List a DAG's versions, newest first."""
        self.wanted()
        versions = DagVersion.objects.filter(dag=access_dag(request.user, dag_id))
        return self.page(versions.defer("spec"), VersionSerializer)


class VersionView(View):
    """One version."""

    @extend_schema(operation_id="versions_retrieve", responses=VersionDetailSerializer)
    def get(self, request: Request, dag_id: str, number: int) -> Response:
        """Show a version with its definition."""
        version = access_version(access_dag(request.user, dag_id), number)
        return Response(show(VersionDetailSerializer, version))

    @extend_schema(
        operation_id="versions_destroy",
        responses={
            204: None,
            404: OpenApiResponse(description="There is no such DAG or version."),
            409: OpenApiResponse(description="It holds already, or did."),
        },
    )
    def delete(self, request: Request, dag_id: str, number: int) -> Response:
        """Withdraw a version whose time has not come."""
        dag = access_dag(request.user, dag_id, to="change")
        taking_over.withdraw(dag, access_version(dag, number))
        return Response(status=status.HTTP_204_NO_CONTENT)


class VersionDiffView(View):
    """Two versions side by side."""

    @extend_schema(operation_id="versions_diff", responses=DifferencesSerializer)
    def get(self, request: Request, dag_id: str, number: int, other: int) -> Response:
        """Show what changes from one version to another.

        Tasks, edges and fields; what is left at its default, order and formatting are no
        difference.
        """
        dag = access_dag(request.user, dag_id)
        old, new = access_version(dag, number), access_version(dag, other)
        found = differences(old.spec, new.spec)
        return Response(DifferencesSerializer(as_shown(found)).data)


class VersionRollbackView(View):
    """Going back."""

    @extend_schema(
        operation_id="versions_rollback",
        request=None,
        responses={
            200: DagDetailSerializer,
            404: OpenApiResponse(description="There is no such DAG or version."),
            409: OpenApiResponse(description="It comes from a file, and is changed there."),
        },
    )
    def post(self, request: Request, dag_id: str, number: int) -> Response:
        """Roll back to a version.

        Its definition is frozen anew, as a version of its own; where it is what holds, nothing
        happens.
        """
        body(request, Nothing)
        dag = access_dag(request.user, dag_id, to="change")
        saved = rolling_back.roll_back(
            dag, access_version(dag, number), author=actor_of(request), source=DagSource.API
        )
        return Response(show(DagDetailSerializer, saved.dag))


def as_shown(found: Differences) -> dict[str, Any]:
    """Differences as `DifferencesSerializer` takes them."""
    return {
        "is_same": not found,
        "changed_fields": [_change(change) for change in found.fields],
        "added_tasks": found.added_tasks,
        "removed_tasks": found.removed_tasks,
        "changed_tasks": [
            {"task_id": task, "changed_fields": [_change(change) for change in changes]}
            for task, changes in found.changed_tasks.items()
        ],
        "added_edges": [list(edge) for edge in found.added_edges],
        "removed_edges": [list(edge) for edge in found.removed_edges],
        "text": "\n".join(f"{sign} {text}" for sign, text in found.lines()),
    }


def _change(change: Change) -> dict[str, Any]:
    return {"path": change.path, "before": change.before, "after": change.after}
