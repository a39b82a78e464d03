"""A DAG's versions over REST."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from dags_app.access import access_dag
from dags_app.api.serializers import VersionDetailSerializer, VersionSerializer
from dags_app.models import DagVersion
from skytrail.errors import NotFound
from skytrail.rest.lists import ListView
from skytrail.rest.pagination import NewestFirst
from skytrail.rest.showing import show
from skytrail.rest.views import View


class VersionNotFound(NotFound):
    """The DAG {dag_id} has no version {number}."""


class VersionPage(NewestFirst):
    """Newest first."""

    ordering = ("-number",)


class VersionListView(ListView):
    """The versions of a DAG."""

    pagination_class = VersionPage

    @extend_schema(operation_id="versions_list", responses=VersionSerializer(many=True))
    def get(self, request: Request, dag_id: str) -> Response:
        """List a DAG's versions, newest first."""
        self.wanted()
        versions = DagVersion.objects.filter(dag=access_dag(request.user, dag_id))
        return self.page(versions.defer("spec"), VersionSerializer)


class VersionView(View):
    """One version."""

    @extend_schema(operation_id="versions_retrieve", responses=VersionDetailSerializer)
    def get(self, request: Request, dag_id: str, number: int) -> Response:
        """Show a version with its definition."""
        dag = access_dag(request.user, dag_id)
        version = DagVersion.objects.filter(dag=dag, number=number).first()
        if version is None:
            raise VersionNotFound(dag_id=repr(dag_id), number=number)
        return Response(show(VersionDetailSerializer, version))
