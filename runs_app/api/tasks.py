"""A run's tasks over REST: states, outputs, cancelling."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from runs_app.access import access_run, access_task_run
from runs_app.actions import cancellation
from runs_app.api.serializers import OutputSerializer, TaskRunSerializer
from runs_app.models import TaskRun
from runs_app.selectors.outputs import outputs_of
from runs_app.selectors.tasks import tasks_of
from skytrail.errors import NotFound
from skytrail.rest.pagination import NewestFirst
from skytrail.rest.requests import actor_of, query

MAP_INDEX = OpenApiParameter("map_index", int, description="Of a mapped task; else -1.")


class NoOutput(NotFound):
    """The task {task_id} has left no output (its state is {state})."""


class WhichQuery(serializers.Serializer[Any]):
    """Which of a mapped task's instances is meant."""

    map_index = serializers.IntegerField(default=-1, min_value=-1, max_value=2**31 - 1)


class TaskPage(NewestFirst):
    """In topological order."""

    page_size = 200
    max_page_size = 1000
    ordering = ("position", "map_index")


class TaskListView(GenericAPIView[TaskRun]):
    """The tasks of a run."""

    serializer_class = TaskRunSerializer
    pagination_class = TaskPage
    filter_backends = ()
    queryset = TaskRun.objects.none()

    @extend_schema(operation_id="task_runs_list", responses=TaskRunSerializer(many=True))
    def get(self, request: Request, dag_id: str, run_id: str) -> Response:
        """List a run's tasks in the order in which they follow each other."""
        tasks: QuerySet[TaskRun] = tasks_of(access_run(request.user, dag_id, run_id))
        page = self.paginate_queryset(tasks)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class TaskView(APIView):
    """One task of a run."""

    @extend_schema(
        operation_id="task_runs_retrieve", parameters=[MAP_INDEX], responses=TaskRunSerializer
    )
    def get(self, request: Request, dag_id: str, run_id: str, task_id: str) -> Response:
        """Show a task of a run with its attempts."""
        which = query(request, WhichQuery)
        task_run = access_task_run(request.user, dag_id, run_id, task_id, **which)
        return Response(TaskRunSerializer(task_run).data)


class TaskOutputView(APIView):
    """What a task left."""

    @extend_schema(
        operation_id="task_runs_output", parameters=[MAP_INDEX], responses=OutputSerializer
    )
    def get(self, request: Request, dag_id: str, run_id: str, task_id: str) -> Response:
        """Show what a task left for later ones."""
        which = query(request, WhichQuery)
        task_run = access_task_run(request.user, dag_id, run_id, task_id, **which)
        outputs = outputs_of(task_run.run_id, [task_id])
        if task_id not in outputs:
            raise NoOutput(task_id=repr(task_id), state=task_run.state)
        return Response(OutputSerializer({"task_id": task_id, "value": outputs[task_id]}).data)


class TaskCancelView(APIView):
    """Cancelling a task."""

    @extend_schema(
        operation_id="task_runs_cancel",
        request=None,
        parameters=[MAP_INDEX],
        responses=TaskRunSerializer,
    )
    def post(self, request: Request, dag_id: str, run_id: str, task_id: str) -> Response:
        """Cancel one task; what waits for it is settled by its trigger rules."""
        which = query(request, WhichQuery)
        task_run = access_task_run(request.user, dag_id, run_id, task_id, **which, to="run")
        cancelled = cancellation.cancel_task(task_run, actor=actor_of(request))
        return Response(TaskRunSerializer(cancelled).data)
