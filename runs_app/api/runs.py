"""Runs over REST: listing, triggering, cancelling, clearing."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from dags_app.access import access_dag
from runs_app.access import access_run
from runs_app.actions import cancellation, rerunning
from runs_app.actions.launching import RunRequest, launch
from runs_app.api.serializers import (
    ClearedSerializer,
    ClearSerializer,
    RunSerializer,
    StatusSerializer,
    TriggerSerializer,
)
from runs_app.domain.states import RunState
from runs_app.models import DagRun, RunType
from runs_app.selectors.history import history_of
from skytrail.rest.pagination import NewestFirst
from skytrail.rest.requests import BadRequest, actor_of, body

MAX_KEY = 250

_IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    location=OpenApiParameter.HEADER,
    description="Asking again with the same key answers with the same run, and creates none.",
)


class RunFilter(django_filters.FilterSet):  # type: ignore[misc]  # untyped library
    """`?state=` (several, separated by commas), `?run_type=`, `?dag_id=`, and times."""

    state = django_filters.BaseInFilter(method="in_state", help_text="running,queued,…")
    run_type = django_filters.ChoiceFilter(choices=RunType.choices)
    dag_id = django_filters.CharFilter(field_name="dag__dag_id")
    queued_after = django_filters.IsoDateTimeFilter(field_name="queued_at", lookup_expr="gte")
    queued_before = django_filters.IsoDateTimeFilter(field_name="queued_at", lookup_expr="lt")

    class Meta:
        model = DagRun
        fields: list[str] = []

    def in_state(self, runs: QuerySet[DagRun], _name: str, states: list[str]) -> QuerySet[DagRun]:
        known = [state.value for state in RunState]
        for state in states:
            if state not in known:
                hint = f"there is no state {state!r}; use {', '.join(known)}"
                raise BadRequest.because("state", "unknown_state", hint)
        return runs.filter(state__in=states)


class RunPage(NewestFirst):
    """Newest first."""

    ordering = ("-queued_at", "-id")


class RunListView(GenericAPIView[DagRun]):
    """The runs of all DAGs that you may see."""

    serializer_class = RunSerializer
    filterset_class = RunFilter
    pagination_class = RunPage

    def get_queryset(self) -> QuerySet[DagRun]:
        runs = DagRun.objects.visible_to(self.request.user)
        return runs.select_related("dag", "version").defer("version__spec")

    @extend_schema(operation_id="runs_list", responses=RunSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List runs, newest first."""
        return self._page(self.get_queryset())

    def _page(self, runs: QuerySet[DagRun]) -> Response:
        page = self.paginate_queryset(self.filter_queryset(runs))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class DagRunListView(RunListView):
    """The runs of one DAG."""

    @extend_schema(operation_id="dag_runs_list", responses=RunSerializer(many=True))
    def get(self, request: Request, dag_id: str) -> Response:  # type: ignore[override]
        """List the runs of a DAG, newest first."""
        dag = access_dag(request.user, dag_id)
        return self._page(self.get_queryset().filter(dag=dag))

    @extend_schema(
        operation_id="dag_runs_create",
        request=TriggerSerializer,
        parameters=[_IDEMPOTENCY_KEY],
        responses={201: RunSerializer, 200: RunSerializer},
    )
    def post(self, request: Request, dag_id: str) -> Response:
        """Trigger a run."""
        dag = access_dag(request.user, dag_id, to="run")
        launched = launch(
            dag,
            RunRequest(
                idempotency_key=_idempotency_key(request), **body(request, TriggerSerializer)
            ),
            actor=actor_of(request),
        )
        code = status.HTTP_201_CREATED if launched.is_new else status.HTTP_200_OK
        return Response(RunSerializer(launched.run()).data, status=code)


class DagStatusView(APIView):
    """A DAG's run history."""

    @extend_schema(operation_id="dags_status", responses=StatusSerializer)
    def get(self, request: Request, dag_id: str) -> Response:
        """Count a DAG's runs by state, and show the latest ones."""
        dag = access_dag(request.user, dag_id)
        history = history_of(dag)
        answer = {
            "dag_id": dag.dag_id,
            "is_paused": dag.paused,
            "next_run_at": None if dag.paused else dag.next_run_at,
            "counts": history.counts,
            "runs": history.latest,
        }
        return Response(StatusSerializer(answer).data)


class RunView(APIView):
    """One run."""

    @extend_schema(operation_id="dag_runs_retrieve", responses=RunSerializer)
    def get(self, request: Request, dag_id: str, run_id: str) -> Response:
        """Show a run."""
        return Response(RunSerializer(access_run(request.user, dag_id, run_id)).data)


class RunCancelView(APIView):
    """Cancelling a run."""

    @extend_schema(
        operation_id="dag_runs_cancel",
        request=None,
        responses={
            200: RunSerializer,
            409: OpenApiResponse(description="It is over, or being cancelled already."),
        },
    )
    def post(self, request: Request, dag_id: str, run_id: str) -> Response:
        """Cancel a run: what waits is cancelled at once, what runs is stopped."""
        run = access_run(request.user, dag_id, run_id, to="run")
        return Response(RunSerializer(cancellation.cancel_run(run, actor=actor_of(request))).data)


class RunClearView(APIView):
    """Clearing tasks of a run."""

    @extend_schema(
        operation_id="dag_runs_clear", request=ClearSerializer, responses=ClearedSerializer
    )
    def post(self, request: Request, dag_id: str, run_id: str) -> Response:
        """Have tasks run again: some, with what follows them, or only what failed."""
        run = access_run(request.user, dag_id, run_id, to="run")
        wanted = body(request, ClearSerializer)
        dry_run = wanted.pop("dry_run")
        tasks = rerunning.clear(
            run, rerunning.Selection(**wanted), actor=actor_of(request), dry_run=dry_run
        )
        return Response(ClearedSerializer({"dry_run": dry_run, "tasks": tasks}).data)


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 1 <= len(key) <= MAX_KEY:
        raise BadRequest.because(
            "Idempotency-Key", "bad_key", f"use a key of 1 to {MAX_KEY} characters"
        )
    return key
