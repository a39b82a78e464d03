"""Testing connections over REST."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from skytrail.rest.permissions import ModelPermissions
from skytrail.rest.requests import body
from skytrail.rest.showing import show
from skytrail.rest.views import View
from skytrail.security.api.serializers import TestedSerializer, TestRequestSerializer
from skytrail.security.models import Connection
from skytrail.security.secrets.testing import DEFAULT_QUEUE, get_tester


class MayChange(ModelPermissions):
    """For those who may change connections: a test sends the password to where they say."""

    perms_map = ModelPermissions.perms_map | {
        "POST": ["%(app_label)s.change_%(model_name)s"],
    }


class ConnectionTestView(View):
    """A test of one connection."""

    model = Connection
    permission_classes = (MayChange,)

    @extend_schema(
        operation_id="connections_test",
        request=TestRequestSerializer,
        responses={
            200: TestedSerializer,
            503: OpenApiResponse(description="No worker has answered in time."),
        },
    )
    def post(self, request: Request, conn_id: str) -> Response:
        """Have a worker test a connection.

        It finds the connection as tasks do: in its environment, in its files, in the database.
        """
        queue = body(request, TestRequestSerializer).get("queue", DEFAULT_QUEUE)
        return Response(show(TestedSerializer, get_tester().try_in_worker(conn_id, queue=queue)))
