"""What is wrong with files of DAGs, over REST."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dags_app.access import access_import_error
from dags_app.models import DagImportError
from skytrail.rest.lists import ListView
from skytrail.rest.pagination import NewestFirst
from skytrail.rest.showing import show
from skytrail.rest.views import View


class ImportErrorSerializer(serializers.ModelSerializer[DagImportError]):
    """Why a file could not be used when it was synced last."""

    folder = serializers.CharField(
        source="root", read_only=True, help_text="The folder that was synced."
    )

    class Meta:
        model = DagImportError
        fields = ["id", "folder", "file", "line", "error", "traceback", "timestamp"]
        read_only_fields = fields


class ImportErrorQuery(serializers.Serializer[Any]):
    """Which import errors."""

    folder = serializers.CharField(
        required=False, max_length=4096, help_text="Of files below this folder that was synced."
    )


class ImportErrorPage(NewestFirst):
    """What was found last comes first."""

    ordering = ("-timestamp", "-id")


class ImportErrorListView(ListView):
    """The files that cannot be used."""

    pagination_class = ImportErrorPage

    @extend_schema(
        operation_id="import_errors_list",
        parameters=[ImportErrorQuery],
        responses=ImportErrorSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """List import errors, newest first.

        One for each file; it goes when the file is well again, or is gone.
        """
        errors = DagImportError.objects.visible_to(request.user)
        if (folder := self.wanted(ImportErrorQuery).get("folder")) is not None:
            errors = errors.filter(root=folder)
        return self.page(errors, ImportErrorSerializer)


class ImportErrorView(View):
    """One file that cannot be used."""

    @extend_schema(operation_id="import_errors_retrieve", responses=ImportErrorSerializer)
    def get(self, request: Request, key: UUID) -> Response:
        """Show an import error with its traceback."""
        return Response(show(ImportErrorSerializer, access_import_error(request.user, key)))
