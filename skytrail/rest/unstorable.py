"""Refuses text that no table can hold, before anybody looks for it in one.

A NUL can come in the path and in the query string (`%00`), and in a cookie (Python reads `\\000`
in a quoted one as an octal escape): each has ended as a traceback from PostgreSQL somewhere.
Bodies are looked at by those who read them (`documents.read_json`, Django's forms).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from skytrail.errors import Problem
from skytrail.rest import errors

_NUL = "\x00"
_HINT = "remove the NUL character (%00) from it"


class RefuseUnstorableText:
    """Answers 400 to a request with a NUL in it, and says where."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        place = next(_places(request), None)
        return self._get_response(request) if place is None else _refusal(request, place)


def _places(request: HttpRequest) -> Iterator[str]:
    """Where there is a NUL. The admin looks at its own paths and filters, and goes on without."""
    if request.path.startswith("/api/"):
        if _NUL in request.path:
            yield "path"
        for name, values in request.GET.lists():
            if any(_NUL in text for text in (name, *values)):
                yield f"query.{_readable(name)}"
    for name, value in request.COOKIES.items():
        if _NUL in name or _NUL in value:
            yield f"cookies.{_readable(name)}"
    for name, value in request.headers.items():
        if _NUL in value:
            yield f"headers.{name}"


def _readable(name: str) -> str:
    return name.replace(_NUL, "\\0")


def _refusal(request: HttpRequest, place: str) -> HttpResponse:
    if request.path.startswith("/api/"):
        problem = Problem(place, "unstorable_text", _HINT)
        shape = errors.body("bad_request", "The request cannot be understood.", [problem])
        return JsonResponse(shape, status=HTTPStatus.BAD_REQUEST)
    return HttpResponse(
        f"{place}: {_HINT}", status=HTTPStatus.BAD_REQUEST, content_type="text/plain"
    )
