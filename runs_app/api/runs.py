"""Runs over REST: listing, triggering, cancelling, clearing."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from dags_app.access import access_dag, access_version
from runs_app.access import access_run
from runs_app.actions import cancellation, rerunning
from runs_app.actions.clearing_ranges import clear_range
from runs_app.actions.launching import RunRequest, launch
from runs_app.actions.noting import note
from runs_app.actions.repeating import repeat
from runs_app.api.filters import DagRunQuery, RunQuery
from runs_app.api.serializers import (
    ClearedRangeSerializer,
    ClearedSerializer,
    ClearRangeSerializer,
    ClearSerializer,
    NoteSerializer,
    RepeatSerializer,
    RunSerializer,
    SkippedTickSerializer,
    StatusSerializer,
    TriggerSerializer,
)
from runs_app.domain.clearing import Selection
from runs_app.models import SkippedTick
from runs_app.selectors.history import history_of
from runs_app.selectors.runs import runs_matching
from skytrail.rest.lists import ListView
from skytrail.rest.pagination import NewestFirst
from skytrail.rest.requests import BadRequest, actor_of, body
from skytrail.rest.showing import show
from skytrail.rest.views import Nothing, View

MAX_KEY = 250

_IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    location=OpenApiParameter.HEADER,
    description="Asking again with the same key answers with the same run, and creates none.",
)


class RunPage(NewestFirst):
    """Newest first."""

    ordering = ("-queued_at", "-id")


class RunListView(ListView):
    """The runs of all DAGs that you may see."""

    pagination_class = RunPage

    @extend_schema(
        operation_id="runs_list", parameters=[RunQuery], responses=RunSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        """List runs, newest first."""
        return self.page(runs_matching(request.user, **self.wanted(RunQuery)), RunSerializer)


class DagRunListView(ListView):
    """The runs of one DAG."""

    pagination_class = RunPage

    @extend_schema(
        operation_id="dag_runs_list", parameters=[DagRunQuery], responses=RunSerializer(many=True)
    )
    def get(self, request: Request, dag_id: str) -> Response:
        """List the runs of a DAG, newest first."""
        dag = access_dag(request.user, dag_id)
        runs = runs_matching(request.user, dag=dag, **self.wanted(DagRunQuery))
        return self.page(runs, RunSerializer)

    @extend_schema(
        operation_id="dag_runs_create",
        request=TriggerSerializer,
        parameters=[_IDEMPOTENCY_KEY],
        responses={
            201: RunSerializer,
            200: OpenApiResponse(RunSerializer, "The run that this key has created before."),
            409: OpenApiResponse(
                description="The run_id is taken, or the key was for another run."
            ),
        },
    )
    def post(self, request: Request, dag_id: str) -> Response:
        """Trigger a run."""
        dag = access_dag(request.user, dag_id, to="run")
        wanted = body(request, TriggerSerializer)
        number = wanted.pop("version", None)
        version = None if number is None else access_version(dag, number)
        launched = launch(
            dag,
            RunRequest(idempotency_key=_idempotency_key(request), version=version, **wanted),
            actor=actor_of(request),
        )
        code = status.HTTP_201_CREATED if launched.is_new else status.HTTP_200_OK
        return Response(show(RunSerializer, launched.run()), status=code)


class SkippedTickPage(NewestFirst):
    """Newest first."""

    ordering = ("-logical_date", "-id")


class SkippedTickListView(ListView):
    """Ticks of a DAG's schedule that got no run."""

    pagination_class = SkippedTickPage

    @extend_schema(operation_id="skipped_ticks_list", responses=SkippedTickSerializer(many=True))
    def get(self, request: Request, dag_id: str) -> Response:
        """List the ticks that a DAG's overlap policy has passed over, newest first."""
        self.wanted()
        ticks = SkippedTick.objects.filter(dag=access_dag(request.user, dag_id))
        return self.page(ticks, SkippedTickSerializer)


class DagStatusView(View):
    """A DAG's run history."""

    @extend_schema(operation_id="dags_status", responses=StatusSerializer)
    def get(self, request: Request, dag_id: str) -> Response:
        """Count a DAG's runs by state, and show the latest ones."""
        dag = access_dag(request.user, dag_id)
        history = history_of(dag)
        answer: dict[str, Any] = {
            "dag_id": dag.dag_id,
            "is_paused": dag.paused,
            "next_run_at": None if dag.paused else dag.next_run_at,
            "counts": history.counts,
            "runs": history.latest,
        }
        return Response(show(StatusSerializer, answer))


class RunView(View):
    """One run."""

    @extend_schema(operation_id="dag_runs_retrieve", responses=RunSerializer)
    def get(self, request: Request, dag_id: str, run_id: str) -> Response:
        """Show a run."""
        return Response(show(RunSerializer, access_run(request.user, dag_id, run_id)))

    @extend_schema(
        operation_id="dag_runs_partial_update", request=NoteSerializer, responses=RunSerializer
    )
    def patch(self, request: Request, dag_id: str, run_id: str) -> Response:
        """Change a run's note."""
        run = access_run(request.user, dag_id, run_id, to="run")
        wanted = body(request, NoteSerializer)
        return Response(show(RunSerializer, note(run, wanted["note"])))


class RunCancelView(View):
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
        body(request, Nothing)
        cancelled = cancellation.cancel_run(run, actor=actor_of(request))
        return Response(show(RunSerializer, cancelled))


class RunClearView(View):
    """Clearing tasks of a run."""

    @extend_schema(
        operation_id="dag_runs_clear",
        request=ClearSerializer,
        responses={
            200: ClearedSerializer,
            409: OpenApiResponse(description="It is being cancelled."),
        },
    )
    def post(self, request: Request, dag_id: str, run_id: str) -> Response:
        """Have tasks run again: some, with what follows them, or only what failed."""
        run = access_run(request.user, dag_id, run_id, to="run")
        wanted = body(request, ClearSerializer)
        dry_run, conf = wanted.pop("dry_run"), wanted.pop("conf", None)
        tasks = rerunning.clear(
            run, Selection(**wanted), actor=actor_of(request), conf=conf, dry_run=dry_run
        )
        return Response(show(ClearedSerializer, {"dry_run": dry_run, "tasks": tasks}))


class DagClearView(View):
    """Clearing tasks of many runs."""

    @extend_schema(
        operation_id="dags_clear",
        request=ClearRangeSerializer,
        responses={200: ClearedRangeSerializer},
    )
    def post(self, request: Request, dag_id: str) -> Response:
        """Have tasks run again in all runs of a stretch of time.

        Each run is cleared whole or not at all; one that is being cancelled is passed over.
        """
        dag = access_dag(request.user, dag_id, to="run")
        wanted = body(request, ClearRangeSerializer)
        dates = {name: wanted.pop(name) for name in ("from_date", "to_date")}
        dry_run, conf = wanted.pop("dry_run"), wanted.pop("conf", None)
        runs = clear_range(
            dag,
            Selection(**wanted),
            **dates,
            actor=actor_of(request),
            conf=conf,
            dry_run=dry_run,
        )
        return Response(show(ClearedRangeSerializer, {"dry_run": dry_run, "runs": list(runs)}))


class RunRepeatView(View):
    """A run once more."""

    @extend_schema(
        operation_id="dag_runs_repeat",
        request=RepeatSerializer,
        responses={
            201: RunSerializer,
            409: OpenApiResponse(description="The DAG has been deleted."),
        },
    )
    def post(self, request: Request, dag_id: str, run_id: str) -> Response:
        """Repeat a run by the version that holds now.

        As a run of its own, for the same dates; the old one stays as it was.
        """
        run = access_run(request.user, dag_id, run_id, to="run")
        conf = body(request, RepeatSerializer).get("conf")
        repeated = repeat(run, actor=actor_of(request), conf=conf)
        return Response(show(RunSerializer, repeated), status=status.HTTP_201_CREATED)


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 1 <= len(key) <= MAX_KEY:
        raise BadRequest.because(
            "Idempotency-Key", "bad_key", f"use a key of 1 to {MAX_KEY} characters"
        )
    return key
