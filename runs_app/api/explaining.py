"""Why something waits, is late, was skipped or never came, over REST."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dags_app.access import access_dag
from runs_app.access import access_run, access_task_run
from runs_app.api.tasks import MAP_INDEX, WhichQuery
from runs_app.domain.explaining.reasons import Explanation, Reason
from runs_app.selectors.explaining.asking import why_dag, why_run, why_task
from skytrail.rest.requests import query
from skytrail.rest.views import View

_AT = OpenApiParameter(
    "at", str, description="A time, in ISO 8601: how it stood then; left out: now."
)


class AtQuery(serializers.Serializer[Any]):
    """Of which time."""

    at = serializers.DateTimeField(required=False)


class TaskAtQuery(WhichQuery):
    """Of which instance, at which time."""

    at = serializers.DateTimeField(required=False)


class AboutSerializer(serializers.Serializer[Any]):
    """What a reason is about."""

    kind = serializers.CharField(help_text="dag, run, task, pool, queue or approvals")
    name = serializers.CharField()
    dag_id = serializers.CharField()
    run_id = serializers.CharField()
    map_index = serializers.IntegerField()


class ReasonSerializer(serializers.Serializer[Any]):
    """A reason; `because` are its own reasons, in the same shape."""

    code = serializers.CharField(help_text="For programs: it stays when the words change.")
    text = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)
    about = AboutSerializer(allow_null=True)
    because = serializers.SerializerMethodField()

    @extend_schema_field({"type": "array", "items": {"type": "object"}})
    def get_because(self, reason: Reason) -> list[Any]:
        """What it has come from."""
        return [self.to_representation(each) for each in reason.because]


class ExplanationSerializer(serializers.Serializer[Any]):
    """How something stands, and why."""

    headline = serializers.CharField()
    at = serializers.DateTimeField(help_text="The time that this is about.")
    since = serializers.DateTimeField(allow_null=True, help_text="Since when it has stood so.")
    reasons = ReasonSerializer(many=True)


class DagExplainView(View):
    """Why a DAG has a run for a time, or none."""

    reads_query = frozenset({"GET", "HEAD"})

    @extend_schema(operation_id="dags_explain", parameters=[_AT], responses=ExplanationSerializer)
    def get(self, request: Request, dag_id: str) -> Response:
        """Say what a DAG's schedule did at a time, or will do, and why."""
        dag = access_dag(request.user, dag_id)
        return _answer(why_dag(dag, **query(request, AtQuery)))


class RunExplainView(View):
    """Why a run stands where it does."""

    reads_query = frozenset({"GET", "HEAD"})

    @extend_schema(operation_id="runs_explain", parameters=[_AT], responses=ExplanationSerializer)
    def get(self, request: Request, dag_id: str, run_id: str) -> Response:
        """Say why a run waits, goes on, was late or ended as it did."""
        run = access_run(request.user, dag_id, run_id)
        return _answer(why_run(run, **query(request, AtQuery)))


class TaskExplainView(View):
    """Why a task stands where it does."""

    reads_query = frozenset({"GET", "HEAD"})

    @extend_schema(
        operation_id="task_runs_explain",
        parameters=[MAP_INDEX, _AT],
        responses=ExplanationSerializer,
    )
    def get(self, request: Request, dag_id: str, run_id: str, task_id: str) -> Response:
        """Say why a task waits, was skipped, or ended as it did: the chain of reasons."""
        wanted = query(request, TaskAtQuery)
        at = wanted.pop("at", None)
        task = access_task_run(request.user, dag_id, run_id, task_id, **wanted)
        return _answer(why_task(task, at=at))


def _answer(explanation: Explanation) -> Response:
    return Response(ExplanationSerializer(explanation).data)
