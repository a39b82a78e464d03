"""DAGs over REST."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from dags_app.access import access_dag, check_allowed
from dags_app.actions import deletion, pausing, registration
from dags_app.api.schema import PartialDefinition
from dags_app.api.serializers import DagDetailSerializer, DagSerializer
from dags_app.domain.json_schema import json_schema
from dags_app.domain.parse import parse
from dags_app.domain.spec import DagSpec
from dags_app.models import Dag, DagSource
from dags_app.selectors.dags import dags_matching
from skytrail.rest.lists import ListView
from skytrail.rest.pagination import ByName
from skytrail.rest.requests import BadRequest, actor_of, query
from skytrail.rest.showing import show
from skytrail.rest.views import View

_FROM_FILE = OpenApiResponse(description="It comes from a file, and is changed there.")


class DagQuery(serializers.Serializer[Any]):
    """Which DAGs."""

    tag = serializers.CharField(required=False, max_length=100, help_text="With this tag.")
    owner = serializers.CharField(required=False, max_length=250, help_text="Of this owner.")
    paused = serializers.BooleanField(required=False, help_text="Whether they are paused.")
    q = serializers.CharField(
        required=False, max_length=250, help_text="With this in their name or description."
    )


class DagPage(ByName):
    """DAGs in the order of their names."""

    ordering = ("dag_id",)


class DagListView(ListView):
    """All DAGs that you may see."""

    pagination_class = DagPage

    @extend_schema(
        operation_id="dags_list", parameters=[DagQuery], responses=DagSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        """List DAGs."""
        return self.page(dags_matching(request.user, **self.wanted(DagQuery)), DagSerializer)

    @extend_schema(
        operation_id="dags_create",
        request=DagSpec,
        responses={201: DagDetailSerializer, 409: OpenApiResponse(description="It exists.")},
    )
    def post(self, request: Request) -> Response:
        """Create a DAG.

        Every problem with the definition is listed at once.
        """
        check_allowed(request.user, "dags_app.add_dag", purpose="add", what="DAGs")
        saved = registration.create(
            spec=parse(request.data), author=actor_of(request), source=DagSource.API
        )
        return Response(show(DagDetailSerializer, saved.dag), status=status.HTTP_201_CREATED)


class SaveQuery(serializers.Serializer[Any]):
    """From when on it is to hold."""

    effective_from = serializers.DateTimeField(
        required=False,
        help_text="A time to come: until then everything stays as it is. Left out: at once.",
    )


class DagView(View):
    """One DAG."""

    reads_query = frozenset({"PUT", "PATCH"})

    @extend_schema(operation_id="dags_retrieve", responses=DagDetailSerializer)
    def get(self, request: Request, dag_id: str) -> Response:
        """Show a DAG with its definition."""
        return Response(show(DagDetailSerializer, access_dag(request.user, dag_id)))

    @extend_schema(
        operation_id="dags_update",
        parameters=[SaveQuery],
        request=DagSpec,
        responses={200: DagDetailSerializer, 409: _FROM_FILE},
    )
    @transaction.atomic
    def put(self, request: Request, dag_id: str) -> Response:
        """Replace a DAG's definition.

        The same meaning makes no new version.
        """
        dag = access_dag(request.user, dag_id, to="change", hold=True)
        return _replace(request, dag, request.data)

    @extend_schema(
        operation_id="dags_partial_update",
        parameters=[SaveQuery],
        request=PartialDefinition,
        responses={200: DagDetailSerializer, 409: _FROM_FILE},
    )
    @transaction.atomic
    def patch(self, request: Request, dag_id: str) -> Response:
        """Change some fields of a DAG's definition.

        What is not named stays as it is; what is named is replaced whole (`tasks`: all of them).
        `{"paused": true}` pauses the DAG.
        """
        # Held from reading to writing: two who change different fields both get their way.
        dag = access_dag(request.user, dag_id, to="change", hold=True)
        if not isinstance(request.data, dict):
            raise BadRequest.because("", "not_an_object", "send an object: { … }")
        if request.data.keys() == {"paused"} and isinstance(request.data["paused"], bool):
            # Even where the stored definition would not pass today's checks.
            act = pausing.pause if request.data["paused"] else pausing.resume
            dag = act(dag, actor=actor_of(request))
            return Response(show(DagDetailSerializer, dag))
        return _replace(request, dag, _merged(dag, request.data))

    @extend_schema(
        operation_id="dags_destroy",
        responses={
            204: None,
            409: OpenApiResponse(description="It has unfinished runs, or comes from a file."),
        },
    )
    @transaction.atomic
    def delete(self, request: Request, dag_id: str) -> Response:
        """Delete a DAG.

        The history of its runs stays; its name is free again.
        """
        deletion.delete(access_dag(request.user, dag_id, to="delete", hold=True))
        return Response(status=status.HTTP_204_NO_CONTENT)


class DagSchemaView(View):
    """The definition's JSON Schema."""

    @extend_schema(
        operation_id="schemas_dag",
        responses={(200, "application/schema+json"): {"type": "object"}},
    )
    def get(self, request: Request) -> HttpResponse:
        """Show the JSON Schema of a definition.

        For editors, and for programs that write definitions.
        """
        return HttpResponse(_json_schema(), content_type="application/schema+json")


@cache
def _json_schema() -> bytes:
    """It is the same for everybody, and takes a while to make."""
    return json.dumps(json_schema()).encode()


def _replace(request: Request, dag: Dag, document: Any) -> Response:
    saved = registration.replace(
        dag=dag,
        spec=parse(document),
        author=actor_of(request),
        source=DagSource.API,
        effective_from=query(request, SaveQuery).get("effective_from"),
    )
    return Response(show(DagDetailSerializer, saved.dag))


def _merged(dag: Dag, changes: dict[str, Any]) -> dict[str, Any]:
    """The current definition with `changes` laid over it; both spellings of a key are one."""
    assert dag.version is not None
    document: dict[str, Any] = dict(dag.version.spec)
    if "cron" in changes:
        document.pop("schedule", None)
    if "dag_id" in changes:
        document.pop("name", None)
    return document | changes
