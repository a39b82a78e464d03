"""A task's log over REST: as it stands, or followed while it grows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from runs_app.access import access_task_run
from runs_app.api.tasks import MAP_INDEX, WhichQuery
from runs_app.models import TaskRun
from runs_app.selectors.logs import Position, is_complete, page_after
from skytrail.database.from_async import ask
from skytrail.rest.requests import query
from skytrail.rest.views import View

PLAIN = "text/plain; charset=utf-8"

#: How often a followed log is looked at, in seconds.
LOOK_EVERY = 0.5


class LogQuery(WhichQuery):
    """Which try's log, and whether to wait for more."""

    attempt = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1)
    follow = serializers.BooleanField(default=False)


class TaskLogView(View):
    """A task's log."""

    reads_query = frozenset({"GET", "HEAD"})

    @extend_schema(
        operation_id="task_runs_logs",
        parameters=[
            MAP_INDEX,
            OpenApiParameter("attempt", int, description="Which try; by default all of them."),
            OpenApiParameter("follow", bool, description="Go on until the task is over."),
        ],
        responses={(200, "text/plain"): OpenApiTypes.STR},
    )
    def get(
        self, request: Request, dag_id: str, run_id: str, task_id: str
    ) -> StreamingHttpResponse:
        """Read a task's log as plain text."""
        wanted: dict[str, Any] = query(request, LogQuery)
        task_run = access_task_run(
            request.user, dag_id, run_id, task_id, map_index=wanted["map_index"]
        )
        return StreamingHttpResponse(
            _log(task_run, wanted.get("attempt"), follow=wanted["follow"]),
            content_type=PLAIN,
            # Proxies are to hand on each piece when it comes.
            headers={"X-Accel-Buffering": "no"},
        )


async def _log(task_run: TaskRun, attempt: int | None, *, follow: bool) -> AsyncIterator[str]:
    """The log so far, a few pieces at a time; with `follow` also what comes until nothing can."""
    position = Position()
    while True:
        # Asked before reading: what is written in between is read now, not lost.
        is_last = not follow or await ask(is_complete, task_run, attempt)
        while pieces := await ask(page_after, task_run, attempt, position):
            position = pieces[-1][0]
            yield "".join(text for _, text in pieces)
        if is_last:
            return
        await asyncio.sleep(LOOK_EVERY)
