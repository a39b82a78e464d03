"""A DAG's versions over REST."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from dags_app.access import access_dag
from dags_app.api.serializers import VersionDetailSerializer, VersionSerializer
from dags_app.models import DagVersion
from skytrail.errors import NotFound
from skytrail.rest.pagination import NewestFirst


class VersionNotFound(NotFound):
    """{dag_id} has no version {number}."""


class VersionPage(NewestFirst):
    """Newest first."""

    ordering = ("-number",)


class VersionListView(GenericAPIView[DagVersion]):
    """The versions of a DAG."""

    serializer_class = VersionSerializer
    pagination_class = VersionPage
    filter_backends = ()

    def get_queryset(self) -> QuerySet[DagVersion]:
        return DagVersion.objects.defer("spec")

    @extend_schema(operation_id="versions_list", responses=VersionSerializer(many=True))
    def get(self, request: Request, dag_id: str) -> Response:
        """List a DAG's versions, newest first."""
        versions = self.get_queryset().filter(dag=access_dag(request.user, dag_id))
        page = self.paginate_queryset(versions)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class VersionView(APIView):
    """One version."""

    @extend_schema(operation_id="versions_retrieve", responses=VersionDetailSerializer)
    def get(self, request: Request, dag_id: str, number: int) -> Response:
        """Show a version with its definition."""
        dag = access_dag(request.user, dag_id)
        version = DagVersion.objects.filter(dag=dag, number=number).first()
        if version is None:
            raise VersionNotFound(dag_id=repr(dag_id), number=number)
        return Response(VersionDetailSerializer(version).data)
