"""The state store over REST. What is secret can be written, and is never shown."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from runs_app.access import access_state_owner
from runs_app.actions import state
from runs_app.api.serializers import StateSerializer
from runs_app.domain.state import Write, check_key, lifetime, storable
from runs_app.models import StateEntry
from runs_app.selectors.state import entries_matching, entry_of
from skytrail.errors import Conflict, NotFound
from skytrail.rest.lists import ListView
from skytrail.rest.pagination import NewestFirst
from skytrail.rest.requests import actor_of, body, query
from skytrail.rest.showing import show
from skytrail.rest.views import View

_NOTHING = OpenApiResponse(description="Nothing is kept there, or its time is up.")


class NoState(NotFound):
    """Nothing is kept under the key {key} there, or its time is up."""


class StateChanged(Conflict):
    """Under the key {key} there is another version than {version}: read it again, and decide anew
    (0: nothing is to be there).
    """


class OwnerQuery(serializers.Serializer[Any]):
    """To whom a key belongs: a DAG, one of its tasks, or an asset."""

    dag_id = serializers.CharField(required=False, max_length=250, help_text="Of this DAG.")
    task_id = serializers.CharField(
        required=False, max_length=250, help_text="Of this task of the DAG."
    )
    asset = serializers.CharField(required=False, max_length=500, help_text="Of this asset.")


class StateQuery(OwnerQuery):
    """Which state."""

    key = serializers.CharField(required=False, max_length=250, help_text="Under this key.")


class EntryQuery(OwnerQuery):
    """One key of somebody's."""

    key = serializers.CharField(max_length=250, help_text="The key.")


class DeleteQuery(EntryQuery):
    """Which version of it to forget."""

    version = serializers.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, help_text="Only if this is there."
    )


class StateWriteSerializer(serializers.Serializer[Any]):
    """What to keep."""

    value = serializers.JSONField()
    secret = serializers.BooleanField(
        default=False, help_text="Whether it is encrypted, and never shown."
    )
    ttl_seconds = serializers.FloatField(
        required=False, allow_null=True, help_text="For how long; null: until it is deleted."
    )
    version = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=2**63 - 1,
        help_text="Only in place of this version; 0: only if there is none.",
    )


class StatePage(NewestFirst):
    """By key."""

    ordering = ("key", "id")


class StateListView(ListView):
    """What tasks keep."""

    pagination_class = StatePage

    @extend_schema(
        operation_id="state_list", parameters=[StateQuery], responses=StateSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        """List what tasks keep for later runs; secrets without their values."""
        wanted = self.wanted(StateQuery)
        return self.page(entries_matching(request.user, **wanted), StateSerializer)


class StateView(View):
    """One key."""

    reads_query = frozenset({"GET", "HEAD", "PUT", "DELETE"})

    @extend_schema(
        operation_id="state_retrieve",
        parameters=[EntryQuery],
        responses={200: StateSerializer, 404: _NOTHING},
    )
    def get(self, request: Request) -> Response:
        """Show what is kept under a key; a secret without its value."""
        return Response(show(StateSerializer, _entry(request, query(request, EntryQuery))))

    @extend_schema(
        operation_id="state_update",
        parameters=[EntryQuery],
        request=StateWriteSerializer,
        responses={
            200: StateSerializer,
            404: OpenApiResponse(description="There is no such DAG or task."),
            409: OpenApiResponse(description="Another version is there, or no key for secrets."),
        },
    )
    def put(self, request: Request) -> Response:
        """Keep a value under a key, with `version` only in that one's place."""
        wanted = query(request, EntryQuery)
        owner = access_state_owner(request.user, **_of(wanted), to="run", must_exist=True)
        given = body(request, StateWriteSerializer)
        key = check_key(wanted["key"])
        write = Write(
            value=storable(given["value"]),
            ttl=lifetime(given.get("ttl_seconds")),
            secret=given["secret"],
            expected=given.get("version"),
        )
        if state.write(owner, key, write, actor=actor_of(request)) is None:
            raise StateChanged(key=repr(key), version=write.expected)
        return Response(show(StateSerializer, _entry(request, wanted)))

    @extend_schema(
        operation_id="state_destroy",
        parameters=[DeleteQuery],
        responses={
            204: None,
            404: _NOTHING,
            409: OpenApiResponse(description="Another version is there."),
        },
    )
    def delete(self, request: Request) -> Response:
        """Forget a key, with `version` only if that is there."""
        wanted = query(request, DeleteQuery)
        owner = access_state_owner(request.user, **_of(wanted), to="run")
        version = wanted.get("version")
        if state.delete(owner, check_key(wanted["key"]), expected=version):
            return Response(status=204)
        if version is not None and entry_of(owner, wanted["key"]) is not None:
            raise StateChanged(key=repr(wanted["key"]), version=version)
        raise NoState(key=repr(wanted["key"]))


def _of(wanted: dict[str, Any]) -> dict[str, Any]:
    return {name: wanted.get(name) for name in ("dag_id", "task_id", "asset")}


def _entry(request: Request, wanted: dict[str, Any]) -> StateEntry:
    owner = access_state_owner(request.user, **_of(wanted))
    found = entry_of(owner, check_key(wanted["key"]))
    if found is None:
        raise NoState(key=repr(wanted["key"]))
    return found
