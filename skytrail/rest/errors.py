"""From whatever went wrong to the one shape that REST answers with.

{"error": {"code", "message", "problems": [{"path", "code", "message"}]}}
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions, status
from rest_framework.response import Response

from skytrail import errors
from skytrail.documents import DocumentTooLarge
from skytrail.errors import Problem, SkytrailError

_logger = logging.getLogger("skytrail.rest")

_STATUS: tuple[tuple[type[SkytrailError], int], ...] = (
    (DocumentTooLarge, status.HTTP_413_REQUEST_ENTITY_TOO_LARGE),
    (errors.Invalid, status.HTTP_400_BAD_REQUEST),
    (errors.NotFound, status.HTTP_404_NOT_FOUND),
    (errors.Forbidden, status.HTTP_403_FORBIDDEN),
    (errors.Conflict, status.HTTP_409_CONFLICT),
    (errors.Unavailable, status.HTTP_503_SERVICE_UNAVAILABLE),
)


def body(code: str, message: str, problems: Sequence[Problem] = ()) -> dict[str, Any]:
    """The shape."""
    return {
        "error": {
            "code": code,
            "message": message,
            "problems": [
                {"path": problem.path, "code": problem.code, "message": problem.message}
                for problem in problems
            ],
        }
    }


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's exception handler. None lets an unexpected error through, to be logged."""
    if isinstance(error, SkytrailError):
        code = next((number for kind, number in _STATUS if isinstance(error, kind)), 500)
        return Response(body(error.code, error.message, error.problems), status=code)
    if isinstance(error, Http404):
        return Response(body("not_found", "There is nothing at this address."), status=404)
    if isinstance(error, PermissionDenied):
        return Response(body("forbidden", "You may not do this."), status=403)
    if isinstance(error, OperationalError):
        _logger.error("the database does not answer: %s", error)
        message = "The database does not answer; try again in a moment."
        return Response(body("database_unavailable", message), status=503)
    if isinstance(error, exceptions.ValidationError):
        problems = list(_problems(error.detail, error.get_codes(), ""))
        return Response(body("invalid", "What was sent cannot be used.", problems), status=400)
    if isinstance(error, exceptions.APIException):
        return _api_exception(error)
    return None


def page_not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    """For addresses under /api/ that lead nowhere."""
    return JsonResponse(body("not_found", "There is nothing at this address."), status=404)


def server_error(request: HttpRequest) -> JsonResponse:
    """For what nobody expected; the log has the traceback."""
    message = "Something went wrong on our side; it has been logged."
    return JsonResponse(body("internal_error", message), status=500)


def _api_exception(error: exceptions.APIException) -> Response:
    """Authentication, wrong methods, throttling: REST framework's own errors."""
    codes = error.get_codes()
    code = codes if isinstance(codes, str) else "error"
    response = Response(body(code, str(error.detail)), status=error.status_code)
    if header := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = header
    if wait := getattr(error, "wait", None):
        response["Retry-After"] = str(int(wait))
    return response


def _problems(detail: Any, codes: Any, path: str) -> Iterator[Problem]:
    """A serializer's nested errors, flattened."""
    if isinstance(detail, dict):
        for key, inner in detail.items():
            here = path if key == "non_field_errors" else f"{path}.{key}" if path else str(key)
            yield from _problems(inner, codes[key], here)
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, dict | list)
            yield from _problems(inner, codes[index], f"{path}[{index}]" if nested else path)
    else:
        yield Problem(path, str(codes), str(detail))
