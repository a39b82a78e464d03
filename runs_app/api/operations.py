"""Pools and workers over REST."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from runs_app.actions import pools
from runs_app.api.serializers import PoolSerializer, WorkerSerializer
from runs_app.models import Pool, Worker
from runs_app.selectors.pools import pools_with_usage
from runs_app.selectors.workers import workers_with_status
from skytrail.errors import NotFound
from skytrail.rest.lists import ListView
from skytrail.rest.pagination import ByName
from skytrail.rest.permissions import ModelPermissions
from skytrail.rest.requests import body
from skytrail.rest.showing import show
from skytrail.rest.views import View


class PoolNotFound(NotFound):
    """There is no pool named {name}."""


class PoolListView(ListView):
    """The pools, and how much of each is taken."""

    model = Pool
    permission_classes = (ModelPermissions,)
    pagination_class = ByName

    @extend_schema(operation_id="pools_list", responses=PoolSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List pools."""
        self.wanted()
        return self.page(pools_with_usage(), PoolSerializer)

    @extend_schema(
        operation_id="pools_create",
        request=PoolSerializer,
        responses={201: PoolSerializer, 409: OpenApiResponse(description="It exists.")},
    )
    def post(self, request: Request) -> Response:
        """Create a pool."""
        pool = pools.create(**body(request, PoolSerializer))
        return _answer(pool.name, code=status.HTTP_201_CREATED)


class PoolView(View):
    """One pool."""

    model = Pool
    permission_classes = (ModelPermissions,)

    @extend_schema(operation_id="pools_retrieve", responses=PoolSerializer)
    def get(self, request: Request, name: str) -> Response:
        """Show a pool."""
        return _answer(name)

    @extend_schema(operation_id="pools_update", request=PoolSerializer, responses=PoolSerializer)
    def put(self, request: Request, name: str) -> Response:
        """Replace a pool's slots and description."""
        pool = _access(name)
        pools.change(pool, **{"description": ""} | body(request, PoolSerializer))
        return _answer(name)

    @extend_schema(
        operation_id="pools_partial_update",
        request=PoolSerializer(partial=True),
        responses=PoolSerializer,
    )
    def patch(self, request: Request, name: str) -> Response:
        """Change a pool's slots or description."""
        pool = _access(name)
        pools.change(pool, **body(request, PoolSerializer, partial=True))
        return _answer(name)

    @extend_schema(
        operation_id="pools_destroy",
        responses={204: None, 409: OpenApiResponse(description="DAGs need it.")},
    )
    def delete(self, request: Request, name: str) -> Response:
        """Delete a pool that no DAG needs."""
        pools.delete(_access(name))
        return Response(status=status.HTTP_204_NO_CONTENT)


class WorkerListView(ListView):
    """The workers that have reported themselves, active or not."""

    model = Worker
    permission_classes = (ModelPermissions,)
    pagination_class = ByName

    @extend_schema(operation_id="workers_list", responses=WorkerSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List workers, active or not."""
        self.wanted()
        return self.page(workers_with_status(), WorkerSerializer)


def _access(name: str) -> Pool:
    pool = pools_with_usage().filter(name=name).first()
    if pool is None:
        raise PoolNotFound(name=repr(name))
    return pool


def _answer(name: str, *, code: int = status.HTTP_200_OK) -> Response:
    return Response(show(PoolSerializer, _access(name)), status=code)
