"""From one of our errors to a page that says what happened and how to go on."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from skytrail.errors import NotFound, SkytrailError
from skytrail.rest.errors import status_of

#: Their own doors translate errors there.
_OTHERS = ("/admin/", "/api/", "/flower/")


class ErrorPages:
    """Answers with a page where a view has raised one of our errors."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The page; None for what is not ours, or not for us."""
        if not isinstance(error, SkytrailError) or request.path.startswith(_OTHERS):
            return None
        return refused(request, error)


def refused(request: HttpRequest, error: SkytrailError) -> HttpResponse:
    """A page, or for a part of one a note, about `error`."""
    template = "skytrail/web/note.html" if is_part(request) else "skytrail/web/error.html"
    title = "There is no such page" if isinstance(error, NotFound) else "That did not work"
    context = {"title": title, "error": error, "back": request.META.get("HTTP_REFERER", "")}
    return render(request, template, context, status=status_of(error) or 500)


def is_part(request: HttpRequest) -> bool:
    """Whether a part of a page was asked for, by htmx, and not a page."""
    return request.headers.get("HX-Request") == "true" and "HX-Boosted" not in request.headers
