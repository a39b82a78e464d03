"""Assets and their events over REST."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from dags_app.access import access_dag, check_allowed
from runs_app.access import access_run
from runs_app.actions import assets
from runs_app.models import AssetEvent
from runs_app.selectors.asset_events import (
    events_matching,
    events_of_run,
    known_assets,
    waiting_events,
)
from skytrail.rest.lists import ListView
from skytrail.rest.pagination import NewestFirst
from skytrail.rest.requests import actor_of, body, query
from skytrail.rest.showing import show
from skytrail.rest.views import View

#: Assets in one answer.
MOST = 200


class AssetSerializer(serializers.Serializer[Any]):
    """An asset that DAGs name, or that there are events of."""

    name = serializers.CharField()
    producers = serializers.ListField(
        child=serializers.CharField(), help_text="The DAGs whose tasks make it new."
    )
    consumers = serializers.ListField(
        child=serializers.CharField(), help_text="The DAGs that wait for it."
    )
    last_event_at = serializers.DateTimeField(allow_null=True)


class KnownAssetsSerializer(serializers.Serializer[Any]):
    """Assets in the order of their names."""

    results = AssetSerializer(many=True)
    next_after = serializers.CharField(
        allow_null=True, help_text="Ask again with `after` this one for more; null: that is all."
    )


class AssetsQuery(serializers.Serializer[Any]):
    """Where to begin."""

    after = serializers.CharField(
        required=False, max_length=250, help_text="Only those with later names."
    )


class AssetEventSerializer(serializers.ModelSerializer[AssetEvent]):
    """An asset was brought up to date. Of an event that no task has made `dag_id` is empty."""

    class Meta:
        model = AssetEvent
        fields = (
            *("id", "asset", "at", "extra", "dag_id", "run_id", "task_id", "map_index"),
            "emitted_by",
        )
        read_only_fields = fields


class EmitSerializer(serializers.Serializer[Any]):
    """Which asset is new, and what is to be said about it."""

    asset = serializers.CharField(max_length=assets.MAX_NAME)
    extra = serializers.DictField(
        required=False, help_text="Whatever the DAGs that it starts are to know, as JSON."
    )


class EventQuery(serializers.Serializer[Any]):
    """Which events."""

    asset = serializers.CharField(required=False, max_length=250, help_text="Of this asset.")
    dag_id = serializers.CharField(
        required=False, max_length=250, help_text="Made by tasks of this DAG."
    )


class EventPage(NewestFirst):
    """Newest first."""

    ordering = ("-at", "-id")


class AssetListView(View):
    """All assets."""

    reads_query = frozenset({"GET", "HEAD"})

    @extend_schema(
        operation_id="assets_list", parameters=[AssetsQuery], responses=KnownAssetsSerializer
    )
    def get(self, request: Request) -> Response:
        """List assets, who makes them new and who waits for them."""
        after = query(request, AssetsQuery).get("after", "")
        found = known_assets(request.user, after=after, limit=MOST + 1)
        more = found[MOST - 1].name if len(found) > MOST else None
        return Response(KnownAssetsSerializer({"results": found[:MOST], "next_after": more}).data)


class AssetEventListView(ListView):
    """Events of all assets."""

    pagination_class = EventPage

    @extend_schema(
        operation_id="asset_events_list",
        parameters=[EventQuery],
        responses=AssetEventSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """List events, newest first."""
        wanted = self.wanted(EventQuery)
        return self.page(events_matching(request.user, **wanted), AssetEventSerializer)

    @extend_schema(
        operation_id="asset_events_create",
        request=EmitSerializer,
        responses={201: AssetEventSerializer},
    )
    def post(self, request: Request) -> Response:
        """Note that an asset is new, whoever has made it so.

        The DAGs that wait for it start within seconds.
        """
        check_allowed(request.user, "dags_app.run_dag", purpose="run", what="assets")
        wanted = body(request, EmitSerializer)
        event = assets.emit(wanted["asset"], extra=wanted.get("extra"), actor=actor_of(request))
        return Response(show(AssetEventSerializer, event), status=status.HTTP_201_CREATED)


class RunAssetEventListView(ListView):
    """Events of a run."""

    pagination_class = EventPage

    @extend_schema(operation_id="run_asset_events_list", responses=AssetEventSerializer(many=True))
    def get(self, request: Request, dag_id: str, run_id: str) -> Response:
        """List the events that a run has been started by."""
        self.wanted()
        return self.page(
            events_of_run(access_run(request.user, dag_id, run_id)), AssetEventSerializer
        )


class WaitingAssetEventListView(ListView):
    """Events that a DAG has."""

    pagination_class = EventPage

    @extend_schema(
        operation_id="waiting_asset_events_list", responses=AssetEventSerializer(many=True)
    )
    def get(self, request: Request, dag_id: str) -> Response:
        """List the events that a DAG has got and that have started no run yet."""
        self.wanted()
        return self.page(waiting_events(access_dag(request.user, dag_id)), AssetEventSerializer)
