"""What schedules will do, over REST."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dags_app.access import access_dag
from dags_app.domain.timing.catchup import Tick
from dags_app.domain.timing.zones import check_timezone
from dags_app.models import Dag
from dags_app.selectors.previews import next_runs, resuming
from skytrail.rest.requests import query
from skytrail.rest.showing import show
from skytrail.rest.views import View

#: Runs that a preview lists; it counts more.
MAX_LISTED = 100


class TickSerializer(serializers.Serializer[Any]):
    """A run that a schedule asks for."""

    logical_date = serializers.DateTimeField(help_text="The time that it is for, and its identity.")
    local_date = serializers.CharField(
        help_text="The same on the clock of the DAG's time zone, with its offset."
    )
    data_interval_start = serializers.DateTimeField(help_text="The tick before it.")
    data_interval_end = serializers.DateTimeField(help_text="The tick itself.")


class NextRunsQuery(serializers.Serializer[Any]):
    """How many."""

    count = serializers.IntegerField(
        required=False, min_value=1, max_value=MAX_LISTED, default=5, help_text="At most so many."
    )


class NextRunsSerializer(serializers.Serializer[Any]):
    """The next runs that a schedule asks for."""

    dag_id = serializers.CharField()
    timezone = serializers.CharField()
    is_paused = serializers.BooleanField(
        help_text="Whether the schedule is held back; the runs are those if it were resumed now."
    )
    runs = TickSerializer(many=True)


class ResumePreviewSerializer(serializers.Serializer[Any]):
    """What resuming a DAG would start."""

    dag_id = serializers.CharField()
    timezone = serializers.CharField()
    is_paused = serializers.BooleanField(help_text="If not, resuming it would change nothing.")
    catchup = serializers.BooleanField()
    overlap_policy = serializers.CharField()
    count = serializers.IntegerField(help_text="How many runs would start at once, or wait.")
    is_more = serializers.BooleanField(help_text="Whether there are more than are counted.")
    passed_over = serializers.IntegerField(
        help_text="How many ticks would get no run because of the overlap policy."
    )
    runs = TickSerializer(many=True, help_text=f"The first {MAX_LISTED} of them.")
    next_run_at = serializers.DateTimeField(
        allow_null=True, help_text="When it would run next after these."
    )


class NextRunsView(View):
    """When a DAG will run."""

    reads_query = frozenset({"GET", "HEAD"})

    @extend_schema(
        operation_id="dags_next_runs", parameters=[NextRunsQuery], responses=NextRunsSerializer
    )
    def get(self, request: Request, dag_id: str) -> Response:
        """List the next runs that a DAG's schedule asks for."""
        dag = access_dag(request.user, dag_id)
        count = query(request, NextRunsQuery)["count"]
        answer = {
            "dag_id": dag.dag_id,
            "timezone": dag.timezone,
            "is_paused": dag.paused,
            "runs": listed(dag, next_runs(dag, count=count)),
        }
        return Response(show(NextRunsSerializer, answer))


class ResumePreviewView(View):
    """What resuming would start."""

    @extend_schema(operation_id="dags_resume_preview", responses=ResumePreviewSerializer)
    def get(self, request: Request, dag_id: str) -> Response:
        """Show which runs would start at once if the DAG were resumed now."""
        return Response(
            show(ResumePreviewSerializer, resume_preview(access_dag(request.user, dag_id)))
        )


def resume_preview(dag: Dag) -> dict[str, Any]:
    """What resuming `dag` would start, as it is shown."""
    preview = resuming(dag)
    return {
        "dag_id": dag.dag_id,
        "timezone": dag.timezone,
        "is_paused": dag.paused,
        "catchup": dag.catchup,
        "overlap_policy": dag.overlap_policy,
        "count": len(preview.starts.ticks),
        "is_more": preview.starts.is_more,
        "passed_over": preview.starts.passed_over,
        "runs": listed(dag, preview.starts.ticks[:MAX_LISTED]),
        "next_run_at": preview.next_run_at,
    }


def listed(dag: Dag, ticks: tuple[Tick, ...]) -> list[dict[str, Any]]:
    """Ticks as they are shown."""
    zone = check_timezone(dag.timezone)
    return [
        {
            "logical_date": tick.logical_date,
            "local_date": _local(tick.logical_date, zone),
            "data_interval_start": tick.data_interval_start,
            "data_interval_end": tick.data_interval_end,
        }
        for tick in ticks
    ]


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).isoformat()
