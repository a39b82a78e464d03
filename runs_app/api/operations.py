"""Pools and workers over REST."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics
from rest_framework.permissions import DjangoModelPermissions

from runs_app.api.serializers import PoolSerializer, WorkerSerializer
from runs_app.models import Pool, Worker
from runs_app.selectors.pools import pools_with_usage
from runs_app.selectors.workers import workers_with_status
from skytrail.rest.pagination import ByName


class ModelPermissions(DjangoModelPermissions):
    """Django's permissions on the model; reading asks for one too."""

    perms_map = DjangoModelPermissions.perms_map | {
        "GET": ["%(app_label)s.view_%(model_name)s"],
        "HEAD": ["%(app_label)s.view_%(model_name)s"],
    }


@extend_schema_view(
    get=extend_schema(operation_id="pools_list", summary="List pools"),
    post=extend_schema(operation_id="pools_create", summary="Create a pool"),
)
class PoolListView(generics.ListCreateAPIView[Pool]):
    """The pools, and how much of each is taken."""

    serializer_class = PoolSerializer
    permission_classes = (ModelPermissions,)
    pagination_class = ByName
    filter_backends = ()

    def get_queryset(self) -> QuerySet[Pool]:
        return pools_with_usage()


@extend_schema_view(
    get=extend_schema(operation_id="pools_retrieve", summary="Show a pool"),
    put=extend_schema(operation_id="pools_update", summary="Replace a pool"),
    patch=extend_schema(operation_id="pools_partial_update", summary="Change a pool"),
    delete=extend_schema(operation_id="pools_destroy", summary="Delete a pool"),
)
class PoolView(generics.RetrieveUpdateDestroyAPIView[Pool]):
    """One pool."""

    serializer_class = PoolSerializer
    permission_classes = (ModelPermissions,)
    lookup_field = "name"

    def get_queryset(self) -> QuerySet[Pool]:
        return pools_with_usage()


@extend_schema_view(get=extend_schema(operation_id="workers_list", summary="List workers"))
class WorkerListView(generics.ListAPIView[Worker]):
    """The workers that have reported themselves, active or not."""

    serializer_class = WorkerSerializer
    permission_classes = (ModelPermissions,)
    pagination_class = ByName
    filter_backends = ()

    def get_queryset(self) -> QuerySet[Worker]:
        return workers_with_status()
