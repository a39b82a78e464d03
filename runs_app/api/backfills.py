"""Backfills over REST."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from dags_app.access import access_dag
from dags_app.domain.fields import read_moment
from dags_app.domain.timing.zones import check_timezone
from dags_app.models import Dag
from runs_app.access import access_backfill
from runs_app.actions import backfilling
from runs_app.api.filters import one_of
from runs_app.domain.backfills import BackfillState, Reprocess, Treatment
from runs_app.models import Backfill
from skytrail.rest.lists import ListView
from skytrail.rest.pagination import NewestFirst
from skytrail.rest.requests import actor_of, body
from skytrail.rest.showing import show
from skytrail.rest.views import Nothing, View


@extend_schema_field({"type": "string", "examples": ["2026-01-31", "2026-01-31T09:00:00+01:00"]})
class MomentField(serializers.Field[datetime, Any, str, Any]):
    """A date, or a date and time; without an offset it is read in the DAG's time zone."""

    default_error_messages = {
        "invalid": "Write a date like 2026-01-31, or a time like 2026-01-31T09:00:00+01:00."
    }

    def to_internal_value(self, data: Any) -> datetime:
        moment = read_moment(data)
        if moment is None:
            self.fail("invalid")
        return moment

    def to_representation(self, value: datetime) -> str:
        return value.isoformat()


class BackfillRequestSerializer(serializers.Serializer[Any]):
    """A stretch of a schedule that is to be made up for."""

    dag_id = serializers.CharField(max_length=250)
    from_date = MomentField(
        help_text="The first date. Without an offset it is read in the DAG's time zone."
    )
    to_date = MomentField(help_text="The last date, which counts too; not in the future.")
    reprocess_behavior = one_of(
        Reprocess,
        default=Reprocess.NONE.value,
        help_text="Which runs that are there are run again: none, those that have failed, or all "
        "that are completed.",
    )
    max_active_runs = serializers.IntegerField(
        default=10, min_value=1, max_value=10_000, help_text="Of its runs, so many at once."
    )
    run_backwards = serializers.BooleanField(default=False, help_text="The newest date first.")
    task_ids = serializers.ListField(
        child=serializers.CharField(max_length=250),
        required=False,
        allow_null=True,
        max_length=10_000,
        help_text="Only these tasks; null for all.",
    )
    conf = serializers.DictField(required=False, help_text="The parameters of its runs.")
    dry_run = serializers.BooleanField(
        default=False, help_text="Only say which dates there are, and what would become of each."
    )


class BackfillSerializer(serializers.ModelSerializer[Backfill]):
    """A backfill, and how far it has come."""

    dag_id = serializers.CharField(source="dag.dag_id", read_only=True)
    seen_to = serializers.IntegerField(read_only=True, help_text="Dates that were seen to.")
    created = serializers.IntegerField(read_only=True, help_text="Runs that it has created.")
    rerun = serializers.IntegerField(read_only=True, help_text="Runs that it has run again.")
    passed_over = serializers.IntegerField(
        read_only=True, help_text="Dates whose run was left alone."
    )
    active = serializers.IntegerField(read_only=True, help_text="Of its runs: not ended.")
    succeeded = serializers.IntegerField(read_only=True)
    failed = serializers.IntegerField(read_only=True)
    cancelled = serializers.IntegerField(read_only=True)

    class Meta:
        model = Backfill
        fields = [
            "id", "dag_id", "state", "from_date", "to_date", "timezone", "reprocess_behavior",
            "max_active_runs", "run_backwards", "task_ids", "conf", "dates", "seen_to", "created",
            "rerun", "passed_over", "active", "succeeded", "failed", "cancelled", "created_by",
            "created_at", "finished_at",
        ]  # fmt: skip
        read_only_fields = fields


class PlannedSerializer(serializers.Serializer[Any]):
    """A date of a backfill that is to be."""

    logical_date = serializers.DateTimeField()
    local_date = serializers.CharField(help_text="On the clock of the DAG's time zone.")
    data_interval_start = serializers.DateTimeField()
    treatment = serializers.ChoiceField(
        choices=[str(each) for each in Treatment],
        help_text="A run would be created, run again, or left alone.",
    )


class PlanSerializer(serializers.Serializer[Any]):
    """What a backfill would do."""

    dry_run = serializers.BooleanField()
    dag_id = serializers.CharField()
    count = serializers.IntegerField(help_text="How many dates are listed.")
    is_more = serializers.BooleanField(help_text="Whether there are more than are listed.")
    counts = serializers.DictField(
        child=serializers.IntegerField(), help_text="How many would come to what."
    )
    dates = PlannedSerializer(many=True, help_text="In the order in which they are seen to.")


class BackfillQuery(serializers.Serializer[Any]):
    """Which backfills."""

    dag_id = serializers.CharField(
        required=False, max_length=250, help_text="Of the DAG of this name."
    )
    state = serializers.ListField(
        child=one_of(BackfillState), required=False, help_text="In one of these states."
    )


class BackfillListView(ListView):
    """The backfills of all DAGs that you may see."""

    pagination_class = NewestFirst

    @extend_schema(
        operation_id="backfills_list",
        parameters=[BackfillQuery],
        responses=BackfillSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """List backfills, newest first."""
        wanted = self.wanted(BackfillQuery)
        found = Backfill.objects.visible_to(request.user)
        if "dag_id" in wanted:
            found = found.filter(dag__dag_id=wanted["dag_id"], dag__deleted_at=None)
        if wanted.get("state"):
            found = found.filter(state__in=wanted["state"])
        return self.page(found.with_progress(), BackfillSerializer)

    @extend_schema(
        operation_id="backfills_create",
        request=BackfillRequestSerializer,
        responses={
            201: BackfillSerializer,
            200: OpenApiResponse(PlanSerializer, "What it would do (`dry_run`)."),
            404: OpenApiResponse(description="There is no such DAG, or you may not see it."),
            409: OpenApiResponse(description="The DAG has one under way."),
        },
    )
    def post(self, request: Request) -> Response:
        """Make up for a stretch of a DAG's schedule."""
        wanted = body(request, BackfillRequestSerializer)
        dag = access_dag(request.user, wanted.pop("dag_id"), to="run")
        dry_run = wanted.pop("dry_run")
        asked = backfill_request(wanted)
        if dry_run:
            return Response(show(PlanSerializer, plan_of(dag, backfilling.plan(dag, asked))))
        made = backfilling.create(dag, asked, actor=actor_of(request))
        return Response(_shown(request, made.pk), status=status.HTTP_201_CREATED)


class BackfillView(View):
    """One backfill."""

    @extend_schema(operation_id="backfills_retrieve", responses=BackfillSerializer)
    def get(self, request: Request, key: UUID) -> Response:
        """Show a backfill, and how far it has come."""
        return Response(_shown(request, key))


_OVER = {200: BackfillSerializer, 409: OpenApiResponse(description="It is over.")}


class BackfillPauseView(View):
    """Pausing a backfill."""

    @extend_schema(operation_id="backfills_pause", request=None, responses=_OVER)
    def post(self, request: Request, key: UUID) -> Response:
        """Create no further run of a backfill; those under way go on."""
        backfilling.pause(_steered(request, key))
        return Response(_shown(request, key))


class BackfillResumeView(View):
    """Resuming a backfill."""

    @extend_schema(operation_id="backfills_resume", request=None, responses=_OVER)
    def post(self, request: Request, key: UUID) -> Response:
        """Go on with a backfill that was paused."""
        backfilling.resume(_steered(request, key))
        return Response(_shown(request, key))


class BackfillCancelView(View):
    """Cancelling a backfill."""

    @extend_schema(operation_id="backfills_cancel", request=None, responses=_OVER)
    def post(self, request: Request, key: UUID) -> Response:
        """Create no further run of a backfill, and cancel those under way."""
        backfilling.cancel(_steered(request, key), actor=actor_of(request))
        return Response(_shown(request, key))


def backfill_request(wanted: dict[str, Any]) -> backfilling.BackfillRequest:
    """What was sent, as the action takes it."""
    reprocess = Reprocess(wanted.pop("reprocess_behavior"))
    return backfilling.BackfillRequest(reprocess_behavior=reprocess, **wanted)


def plan_of(dag: Dag, plan: backfilling.Plan) -> dict[str, Any]:
    """A plan as it is shown."""
    zone = check_timezone(dag.timezone)
    counts = dict.fromkeys((str(each) for each in Treatment), 0)
    for planned in plan.dates:
        counts[planned.treatment] += 1
    return {
        "dry_run": True,
        "dag_id": dag.dag_id,
        "count": len(plan.dates),
        "is_more": plan.is_more,
        "counts": counts,
        "dates": [
            {
                "logical_date": planned.logical_date,
                "local_date": planned.logical_date.astimezone(zone).isoformat(),
                "data_interval_start": planned.data_interval_start,
                "treatment": planned.treatment,
            }
            for planned in plan.dates
        ],
    }


def _steered(request: Request, key: UUID) -> Backfill:
    backfill = access_backfill(request.user, key, to="run")
    body(request, Nothing)
    return backfill


def _shown(request: Request, key: UUID) -> Any:
    return show(BackfillSerializer, access_backfill(request.user, key))
