"""A task's log over REST: as it stands, or followed while it grows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from runs_app.access import access_task_run
from runs_app.api.tasks import MAP_INDEX, WhichQuery
from runs_app.models import TaskRun
from runs_app.selectors.logs import Position, chunks_after, is_complete
from skytrail.rest.requests import query

PLAIN = "text/plain; charset=utf-8"

#: How often a followed log is looked at, in seconds.
LOOK_EVERY = 0.5


class LogQuery(WhichQuery):
    """Which try's log, and whether to wait for more."""

    attempt = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1)
    follow = serializers.BooleanField(default=False)


class TaskLogView(APIView):
    """A task's log."""

    @extend_schema(
        operation_id="task_runs_logs",
        parameters=[
            MAP_INDEX,
            OpenApiParameter("attempt", int, description="Which try; by default all of them."),
            OpenApiParameter("follow", bool, description="Go on until the task is over."),
        ],
        responses={(200, "text/plain"): OpenApiTypes.STR},
    )
    def get(self, request: Request, dag_id: str, run_id: str, task_id: str) -> HttpResponseBase:
        """Read a task's log as plain text."""
        wanted: dict[str, Any] = query(request, LogQuery)
        task_run = access_task_run(
            request.user, dag_id, run_id, task_id, map_index=wanted["map_index"]
        )
        attempt = wanted.get("attempt")
        if wanted["follow"]:
            return StreamingHttpResponse(
                _follow(task_run, attempt),
                content_type=PLAIN,
                headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
            )
        text = "".join(text for _, text in chunks_after(task_run, attempt, Position()))
        return HttpResponse(text, content_type=PLAIN)


async def _follow(task_run: TaskRun, attempt: int | None) -> AsyncIterator[str]:
    """The log so far, then what is added, until nothing more can come."""
    position = Position()
    while True:
        # Asked before reading: what is written in between is read now, not lost.
        over = await sync_to_async(is_complete)(task_run, attempt)
        for read_to, text in await sync_to_async(_read)(task_run, attempt, position):
            position = read_to
            yield text
        if over:
            return
        await asyncio.sleep(LOOK_EVERY)


def _read(task_run: TaskRun, attempt: int | None, after: Position) -> list[tuple[Position, str]]:
    return list(chunks_after(task_run, attempt, after))
