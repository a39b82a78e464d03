"""Connections over REST: written, and shown without their secrets."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from skytrail.rest.lists import ListView
from skytrail.rest.pagination import NewestFirst
from skytrail.rest.permissions import ModelPermissions
from skytrail.rest.requests import body
from skytrail.rest.showing import show
from skytrail.rest.views import View
from skytrail.security.api.serializers import ConnectionInListSerializer, ConnectionSerializer
from skytrail.security.models import Connection
from skytrail.security.secrets import changing, keeping
from skytrail.security.secrets.sealing import opened_connection
from skytrail.security.secrets.shown import shown_connection

_NO_KEY = OpenApiResponse(description="There is no key that it could be encrypted or read with.")


class ByConnId(NewestFirst):
    """In the order of their names."""

    ordering = ("conn_id",)


class ConnectionListView(ListView):
    """What the database holds; what comes from the environment and from files is not listed, for
    each process has its own.
    """

    model = Connection
    permission_classes = (ModelPermissions,)
    pagination_class = ByConnId

    @extend_schema(operation_id="connections_list", responses=ConnectionInListSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List connections, without what they hold."""
        self.wanted()
        return self.page(Connection.objects.all(), ConnectionInListSerializer)

    @extend_schema(
        operation_id="connections_create",
        request=ConnectionSerializer,
        responses={
            201: ConnectionSerializer,
            409: OpenApiResponse(description="It exists, or there is no key to encrypt it with."),
        },
    )
    def post(self, request: Request) -> Response:
        """Create a connection."""
        fields = body(request, ConnectionSerializer)
        row = changing.add_connection(fields.pop("conn_id"), fields)
        return _answer(row, code=status.HTTP_201_CREATED)


class ConnectionView(View):
    """One connection that the database holds."""

    model = Connection
    permission_classes = (ModelPermissions,)

    @extend_schema(
        operation_id="connections_retrieve", responses={200: ConnectionSerializer, 409: _NO_KEY}
    )
    def get(self, request: Request, conn_id: str) -> Response:
        """Show a connection; its secrets are `***`."""
        return _answer(_access(conn_id))

    @extend_schema(
        operation_id="connections_update",
        request=ConnectionSerializer,
        responses={200: ConnectionSerializer, 409: _NO_KEY},
    )
    def put(self, request: Request, conn_id: str) -> Response:
        """Replace a connection. Where `***` is sent, what was kept stays."""
        _access(conn_id)
        fields = body(request, ConnectionSerializer)
        changing.check_name_kept(conn_id, fields.pop("conn_id"), path="conn_id")
        return _answer(changing.replace_connection(conn_id, fields))

    @extend_schema(
        operation_id="connections_partial_update",
        request=ConnectionSerializer(partial=True),
        responses={200: ConnectionSerializer, 409: _NO_KEY},
    )
    def patch(self, request: Request, conn_id: str) -> Response:
        """Change the fields that are sent. Where `***` is sent, what was kept stays.

        `extra` is one field: an extra that is not sent again is gone.
        """
        _access(conn_id)
        fields = body(request, ConnectionSerializer, partial=True)
        changing.check_name_kept(conn_id, fields.pop("conn_id", None), path="conn_id")
        return _answer(changing.change_connection(conn_id, fields))

    @extend_schema(operation_id="connections_destroy", responses={204: None})
    def delete(self, request: Request, conn_id: str) -> Response:
        """Delete a connection. What needs it fails from then on."""
        keeping.delete_connection(conn_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _access(conn_id: str) -> Connection:
    row = Connection.objects.filter(conn_id=conn_id).first()
    if row is None:
        raise keeping.ConnectionNotKept(conn_id=conn_id)
    return row


def _answer(row: Connection, *, code: int = status.HTTP_200_OK) -> Response:
    columns: dict[str, Any] = {
        "id": row.pk,
        "description": row.description,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }
    shown = columns | shown_connection(opened_connection(row))
    return Response(show(ConnectionSerializer, shown), status=code)
