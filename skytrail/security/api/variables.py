"""Variables over REST: written, and shown unless they are secret."""

from __future__ import annotations

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
from skytrail.security.api.serializers import VariableInListSerializer, VariableSerializer
from skytrail.security.models import Variable
from skytrail.security.redaction import MASK
from skytrail.security.secrets import changing, keeping
from skytrail.security.secrets.sealing import opened_variable

_NO_KEY = OpenApiResponse(description="There is no key that it could be encrypted or read with.")

#: What a replaced variable has where nothing is said.
_DEFAULTS = {"is_secret": True, "description": ""}


class ByKey(NewestFirst):
    """In the order of their names."""

    ordering = ("key",)


class VariableListView(ListView):
    """What the database holds; what comes from the environment and from files is not listed, for
    each process has its own.
    """

    model = Variable
    permission_classes = (ModelPermissions,)
    pagination_class = ByKey

    @extend_schema(operation_id="variables_list", responses=VariableInListSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List variables, without their values."""
        self.wanted()
        return self.page(Variable.objects.all(), VariableInListSerializer)

    @extend_schema(
        operation_id="variables_create",
        request=VariableSerializer,
        responses={
            201: VariableSerializer,
            409: OpenApiResponse(description="It exists, or there is no key to encrypt it with."),
        },
    )
    def post(self, request: Request) -> Response:
        """Create a variable. It is secret unless said otherwise."""
        row = changing.add_variable(**body(request, VariableSerializer))
        return _answer(row, code=status.HTTP_201_CREATED)


class VariableView(View):
    """One variable that the database holds."""

    model = Variable
    permission_classes = (ModelPermissions,)

    @extend_schema(
        operation_id="variables_retrieve", responses={200: VariableSerializer, 409: _NO_KEY}
    )
    def get(self, request: Request, key: str) -> Response:
        """Show a variable; a secret one's value is `***`."""
        return _answer(_access(key))

    @extend_schema(
        operation_id="variables_update",
        request=VariableSerializer,
        responses={200: VariableSerializer, 409: _NO_KEY},
    )
    def put(self, request: Request, key: str) -> Response:
        """Replace a variable. The value `***` keeps a secret."""
        _access(key)
        fields = body(request, VariableSerializer)
        changing.check_name_kept(key, fields.pop("key"), path="key")
        return _answer(changing.change_variable(key, _DEFAULTS | fields))

    @extend_schema(
        operation_id="variables_partial_update",
        request=VariableSerializer(partial=True),
        responses={200: VariableSerializer, 409: _NO_KEY},
    )
    def patch(self, request: Request, key: str) -> Response:
        """Change the fields that are sent. The value `***` keeps a secret."""
        _access(key)
        fields = body(request, VariableSerializer, partial=True)
        changing.check_name_kept(key, fields.pop("key", None), path="key")
        return _answer(changing.change_variable(key, fields))

    @extend_schema(operation_id="variables_destroy", responses={204: None})
    def delete(self, request: Request, key: str) -> Response:
        """Delete a variable. What needs it fails from then on."""
        keeping.delete_variable(key)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _access(key: str) -> Variable:
    row = Variable.objects.filter(key=key).first()
    if row is None:
        raise keeping.VariableNotKept(key=key)
    return row


def _answer(row: Variable, *, code: int = status.HTTP_200_OK) -> Response:
    shown = {
        "id": row.pk,
        "key": row.key,
        # A secret is not even decrypted.
        "value": MASK if row.is_secret else opened_variable(row).value,
        "is_secret": row.is_secret,
        "description": row.description,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }
    return Response(show(VariableSerializer, shown), status=code)
