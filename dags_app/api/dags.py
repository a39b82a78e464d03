"""DAGs over REST."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from dags_app.access import NotAllowed, access_dag
from dags_app.actions import deletion, pausing, registration
from dags_app.api.serializers import DagDetailSerializer, DagSerializer
from dags_app.domain.parse import parse
from dags_app.domain.spec import DagSpec, json_schema
from dags_app.models import Dag, DagSource
from skytrail.rest.pagination import ByName
from skytrail.rest.requests import BadRequest, actor_of


class DagFilter(django_filters.FilterSet):  # type: ignore[misc]  # untyped library
    """`?tag=`, `?owner=`, `?paused=`, and `?q=` for a part of the name or the description."""

    tag = django_filters.CharFilter(method="with_tag", help_text="DAGs that have this tag.")
    owner = django_filters.CharFilter(help_text="DAGs of this owner.")
    paused = django_filters.BooleanFilter()
    q = django_filters.CharFilter(method="matching", help_text="A part of name or description.")

    class Meta:
        model = Dag
        fields: list[str] = []

    def with_tag(self, dags: QuerySet[Dag], _name: str, value: str) -> QuerySet[Dag]:
        return dags.filter(tags__contains=[value])

    def matching(self, dags: QuerySet[Dag], _name: str, value: str) -> QuerySet[Dag]:
        return dags.filter(Q(dag_id__icontains=value) | Q(description__icontains=value))


class DagPage(ByName):
    """DAGs in the order of their names."""

    ordering = ("dag_id",)


class DagListView(GenericAPIView[Dag]):
    """All DAGs that you may see."""

    serializer_class = DagSerializer
    filterset_class = DagFilter
    pagination_class = DagPage

    def get_queryset(self) -> QuerySet[Dag]:
        return Dag.objects.visible_to(self.request.user).select_related("version")

    @extend_schema(operation_id="dags_list", responses=DagSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List DAGs."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="dags_create", request=DagSpec, responses={201: DagDetailSerializer}
    )
    def post(self, request: Request) -> Response:
        """Create a DAG. Every problem with the definition is listed at once."""
        if not request.user.has_perm("dags_app.add_dag"):
            raise NotAllowed(dag_id="DAGs", purpose="add", permission="dags_app.add_dag")
        spec = parse(request.data)
        saved = registration.create(spec=spec, author=actor_of(request), source=DagSource.API)
        return Response(DagDetailSerializer(saved.dag).data, status=status.HTTP_201_CREATED)


class DagView(APIView):
    """One DAG."""

    @extend_schema(operation_id="dags_retrieve", responses=DagDetailSerializer)
    def get(self, request: Request, dag_id: str) -> Response:
        """Show a DAG with its definition."""
        return Response(DagDetailSerializer(access_dag(request.user, dag_id)).data)

    @extend_schema(operation_id="dags_update", request=DagSpec, responses=DagDetailSerializer)
    def put(self, request: Request, dag_id: str) -> Response:
        """Replace a DAG's definition. The same meaning makes no new version."""
        dag = access_dag(request.user, dag_id, to="change")
        return self._replace(request, dag, request.data)

    @extend_schema(
        operation_id="dags_partial_update",
        request={"application/json": {"type": "object", "additionalProperties": True}},
        responses=DagDetailSerializer,
    )
    def patch(self, request: Request, dag_id: str) -> Response:
        """Change some fields of the definition; `tasks`, if given, replaces all tasks.

        `{"paused": true}` pauses the DAG.
        """
        dag = access_dag(request.user, dag_id, to="change")
        if not isinstance(request.data, dict):
            raise BadRequest.because("", "not_an_object", "send an object: { … }")
        if request.data.keys() == {"paused"} and isinstance(request.data["paused"], bool):
            dag = (pausing.pause if request.data["paused"] else pausing.resume)(dag)
            return Response(DagDetailSerializer(dag).data)
        return self._replace(request, dag, _merged(dag, request.data))

    @extend_schema(
        operation_id="dags_destroy",
        responses={204: None, 409: OpenApiResponse(description="It has unfinished runs.")},
    )
    def delete(self, request: Request, dag_id: str) -> Response:
        """Delete a DAG; the history of its runs stays."""
        deletion.delete(access_dag(request.user, dag_id, to="delete"))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _replace(self, request: Request, dag: Dag, document: Any) -> Response:
        saved = registration.replace(
            dag=dag, spec=parse(document), author=actor_of(request), source=DagSource.API
        )
        return Response(DagDetailSerializer(saved.dag).data)


class DagSchemaView(APIView):
    """The definition's JSON Schema."""

    @extend_schema(
        operation_id="schemas_dag",
        responses={(200, "application/schema+json"): {"type": "object"}},
    )
    def get(self, request: Request) -> Response:
        """The JSON Schema of a definition, for editors and programs."""
        return Response(json_schema(), content_type="application/schema+json")


def _merged(dag: Dag, changes: dict[str, Any]) -> dict[str, Any]:
    """The current definition with `changes` laid over it; both spellings of a key are one."""
    assert dag.version is not None
    document: dict[str, Any] = dict(dag.version.spec)
    if "cron" in changes:
        document.pop("schedule", None)
    if "dag_id" in changes:
        document.pop("name", None)
    return document | changes
