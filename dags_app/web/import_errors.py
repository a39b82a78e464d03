"""What could not be read of the files of DAGs."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from dags_app.access import access_import_error, check_allowed
from dags_app.models import DagImportError
from skytrail.rest.pagination import NewestFirst
from skytrail.web.paging import page_of


class Newest(NewestFirst):
    """Newest first."""

    ordering = ("-timestamp", "-id")


@require_GET
def listed(request: HttpRequest) -> HttpResponse:
    """All of them, newest first."""
    check_allowed(request.user, "dags_app.view_dag", purpose="see", what="import errors")
    page = page_of(request, DagImportError.objects.visible_to(request.user), Newest)
    return render(request, "dags_app/import_errors.html", {"page": page})


@require_GET
def one(request: HttpRequest, key: UUID) -> HttpResponse:
    """One of them, with its traceback."""
    error = access_import_error(request.user, key)
    return render(request, "dags_app/import_error.html", {"error": error})
