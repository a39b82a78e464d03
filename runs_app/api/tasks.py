"""A run's tasks over REST: states, outputs, cancelling."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from runs_app.access import access_run, access_task_run
from runs_app.actions import cancellation
from runs_app.api.filters import TaskQuery
from runs_app.api.serializers import (
    NamedOutputSerializer,
    OutputSerializer,
    RenderedSerializer,
    TaskRunSerializer,
)
from runs_app.selectors.outputs import outputs_of, rows_of
from runs_app.selectors.rendered import rendered_fields
from runs_app.selectors.tasks import tasks_of
from skytrail.errors import NotFound
from skytrail.rest.lists import ListView
from skytrail.rest.pagination import NewestFirst
from skytrail.rest.requests import actor_of, body, query
from skytrail.rest.showing import show
from skytrail.rest.views import Nothing, View

MAP_INDEX = OpenApiParameter("map_index", int, description="Of a mapped task; else -1.")


class NoOutput(NotFound):
    """The task {task_id} has left no output (its state is {state})."""


class WhichQuery(serializers.Serializer[Any]):
    """Which of a mapped task's instances is meant."""

    map_index = serializers.IntegerField(default=-1, min_value=-1, max_value=2**31 - 1)


class OutputQuery(serializers.Serializer[Any]):
    """Which of a task's outputs."""

    name = serializers.CharField(required=False, max_length=250, help_text="Only this one.")


class WhichOutputQuery(WhichQuery, OutputQuery):
    """Both."""


class TaskPage(NewestFirst):
    """In topological order."""

    page_size = 200
    max_page_size = 1000
    ordering = ("position", "map_index")


class TaskListView(ListView):
    """The tasks of a run."""

    pagination_class = TaskPage

    @extend_schema(
        operation_id="task_runs_list",
        parameters=[TaskQuery],
        responses=TaskRunSerializer(many=True),
    )
    def get(self, request: Request, dag_id: str, run_id: str) -> Response:
        """List a run's tasks in the order in which they follow each other."""
        run = access_run(request.user, dag_id, run_id)
        return self.page(tasks_of(run, **self.wanted(TaskQuery)), TaskRunSerializer)


class TaskView(View):
    """One task of a run."""

    reads_query = frozenset({"GET", "HEAD"})

    @extend_schema(
        operation_id="task_runs_retrieve", parameters=[MAP_INDEX], responses=TaskRunSerializer
    )
    def get(self, request: Request, dag_id: str, run_id: str, task_id: str) -> Response:
        """Show a task of a run with its attempts."""
        which = query(request, WhichQuery)
        task_run = access_task_run(request.user, dag_id, run_id, task_id, **which)
        return Response(show(TaskRunSerializer, task_run))


class TaskOutputView(View):
    """What a task left."""

    reads_query = frozenset({"GET", "HEAD"})

    @extend_schema(
        operation_id="task_runs_output",
        parameters=[MAP_INDEX],
        responses={
            200: OutputSerializer,
            404: OpenApiResponse(description="There is no such task, or it has left no output."),
        },
    )
    def get(self, request: Request, dag_id: str, run_id: str, task_id: str) -> Response:
        """Show what a task left for later ones."""
        which = query(request, WhichQuery)
        task_run = access_task_run(request.user, dag_id, run_id, task_id, **which)
        outputs = outputs_of(task_run.run_id, [task_id])
        if task_id not in outputs:
            raise NoOutput(task_id=repr(task_id), state=task_run.state)
        answer = {"task_id": task_id, "value": outputs[task_id]}
        return Response(show(OutputSerializer, answer))


class RenderedQuery(WhichQuery):
    """Of which try."""

    attempt = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1)


class TaskRenderedView(View):
    """What a task's templates were filled in to."""

    reads_query = frozenset({"GET", "HEAD"})

    @extend_schema(
        operation_id="task_runs_rendered",
        parameters=[
            MAP_INDEX,
            OpenApiParameter("attempt", int, description="Which try; by default the latest."),
        ],
        responses={
            200: RenderedSerializer,
            404: OpenApiResponse(description="There is no such task, or nothing was filled in."),
        },
    )
    def get(self, request: Request, dag_id: str, run_id: str, task_id: str) -> Response:
        """Show what a task's templates were filled in to, secrets masked."""
        wanted = query(request, RenderedQuery)
        attempt = wanted.pop("attempt", None)
        task_run = access_task_run(request.user, dag_id, run_id, task_id, **wanted)
        return Response(show(RenderedSerializer, rendered_fields(task_run, attempt=attempt)))


class OutputPage(NewestFirst):
    """By name."""

    page_size = 20
    max_page_size = 100
    ordering = ("name", "id")


class TaskOutputListView(ListView):
    """The named outputs of a task."""

    pagination_class = OutputPage

    @extend_schema(
        operation_id="task_runs_outputs_list",
        parameters=[MAP_INDEX, OutputQuery],
        responses=NamedOutputSerializer(many=True),
    )
    def get(self, request: Request, dag_id: str, run_id: str, task_id: str) -> Response:
        """List what a task left for later ones, each output by itself."""
        wanted = self.wanted(WhichOutputQuery)
        name = wanted.pop("name", None)
        task_run = access_task_run(request.user, dag_id, run_id, task_id, **wanted)
        return self.page(rows_of(task_run, name=name), NamedOutputSerializer)


class TaskCancelView(View):
    """Cancelling a task."""

    reads_query = frozenset({"POST"})

    @extend_schema(
        operation_id="task_runs_cancel",
        request=None,
        parameters=[MAP_INDEX],
        responses={
            200: TaskRunSerializer,
            409: OpenApiResponse(description="It is over, or being cancelled already."),
        },
    )
    def post(self, request: Request, dag_id: str, run_id: str, task_id: str) -> Response:
        """Cancel one task; what waits for it is settled by its trigger rules."""
        which = query(request, WhichQuery)
        task_run = access_task_run(request.user, dag_id, run_id, task_id, **which, to="run")
        body(request, Nothing)
        cancelled = cancellation.cancel_task(task_run, actor=actor_of(request))
        return Response(show(TaskRunSerializer, cancelled))
