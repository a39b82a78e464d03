"""From whatever went wrong to the one shape that REST answers with.

{"error": {"code", "message", "problems": [{"path", "code", "message"}]}}
"""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views import defaults
from rest_framework import exceptions, status
from rest_framework.response import Response

from skytrail import errors
from skytrail.database.trouble import Trouble, as_one_of_ours, in_a_line, trouble_of
from skytrail.documents import DocumentTooLarge
from skytrail.errors import Problem, SkytrailError

_logger = logging.getLogger("skytrail.rest")

#: How to get in, for every answer that says "who are you?".
HOW_TO_LOG_IN = (
    "get a token with POST /api/v1/auth/token (username, password) and send it along as"
    " `Authorization: Bearer <access_token>`"
)

_NOTHING_HERE = "There is nothing at this address; /api/v1/docs lists those that there are."

_STATUS: tuple[tuple[type[SkytrailError], int], ...] = (
    (DocumentTooLarge, status.HTTP_413_REQUEST_ENTITY_TOO_LARGE),
    (errors.Invalid, status.HTTP_400_BAD_REQUEST),
    (errors.NotFound, status.HTTP_404_NOT_FOUND),
    (errors.Forbidden, status.HTTP_403_FORBIDDEN),
    (errors.Conflict, status.HTTP_409_CONFLICT),
    (errors.Unavailable, status.HTTP_503_SERVICE_UNAVAILABLE),
)


def status_of(error: SkytrailError) -> int | None:
    """The status that says what kind of error it is; None for one that nobody was to see."""
    return next((number for kind, number in _STATUS if isinstance(error, kind)), None)


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


def body_of(error: SkytrailError) -> dict[str, Any]:
    """The shape, filled by one of our own errors."""
    return body(error.code, error.message, error.problems)


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's exception handler. None lets an unexpected error through, to be logged."""
    if isinstance(error, SkytrailError):
        code = status_of(error)
        return None if code is None else Response(body_of(error), status=code)
    if isinstance(error, Http404):
        return Response(body("not_found", _NOTHING_HERE), status=404)
    if isinstance(error, PermissionDenied):
        return Response(body("forbidden", "You may not do this."), status=403)
    if (trouble := trouble_of(error)) is not None:
        _logger.error("the database is in trouble (%s): %s", trouble, in_a_line(error))
        return Response(body_of(as_one_of_ours(trouble)), status=503, headers=_retry_after(trouble))
    if isinstance(error, exceptions.ValidationError):
        problems = list(_problems(error.detail, error.get_codes(), ""))
        return Response(body("invalid", "What was sent cannot be used.", problems), status=400)
    if isinstance(error, exceptions.APIException):
        return _api_exception(error, context)
    return None


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    """For what Django itself refuses under /api/, like a host name that is not allowed."""
    message = "The request cannot be understood, or its Host is not in SKYTRAIL_ALLOWED_HOSTS."
    return JsonResponse(body("bad_request", message), status=400)


def page_not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    """For addresses under /api/ that lead nowhere."""
    return JsonResponse(body("not_found", _NOTHING_HERE), status=404)


def server_error(request: HttpRequest) -> JsonResponse:
    """For what nobody expected; the log has the traceback."""
    if (trouble := _trouble_at_hand()) is not None:
        answer = body_of(as_one_of_ours(trouble))
        return JsonResponse(answer, status=503, headers=_retry_after(trouble))
    message = "Something went wrong on our side; it has been logged. Tell whoever runs Skytrail."
    return JsonResponse(body("internal_error", message), status=500)


def server_error_page(request: HttpRequest) -> HttpResponse:
    """The same for people."""
    if (trouble := _trouble_at_hand()) is None:
        return defaults.server_error(request)
    page = render_to_string("503.html", {"message": as_one_of_ours(trouble).message})
    return HttpResponse(page, status=503, headers=_retry_after(trouble))


def _trouble_at_hand() -> Trouble | None:
    """What the database is in trouble with, if that is why Django asks for an error page."""
    error = sys.exception()
    return None if error is None else trouble_of(error)


def _retry_after(trouble: Trouble) -> dict[str, str]:
    return {"Retry-After": "1" if trouble is Trouble.COLLISION else "5"}


def _api_exception(error: exceptions.APIException, context: dict[str, Any]) -> Response:
    """Authentication, wrong methods, throttling: REST framework's own errors."""
    codes = error.get_codes()
    code = codes if isinstance(codes, str) else "error"
    response = Response(body(code, _message(error, context)), status=error.status_code)
    if header := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = header
    if wait := getattr(error, "wait", None):
        response["Retry-After"] = str(math.ceil(wait))
    return response


def _message(error: exceptions.APIException, context: dict[str, Any]) -> str:
    """What `error` says, with the way out where the library's text has none."""
    said = str(error.detail)
    if isinstance(error, exceptions.NotAuthenticated):
        return f"You are not logged in: {HOW_TO_LOG_IN}."
    if isinstance(error, exceptions.UnsupportedMediaType):
        return f"{said} Send JSON, with the header `Content-Type: application/json`."
    if isinstance(error, exceptions.MethodNotAllowed):
        taken = [name for name in context["view"].allowed_methods if name != "OPTIONS"]
        return f"{said} This address takes {', '.join(taken)}."
    return said


def _problems(detail: Any, codes: Any, path: str) -> Iterator[Problem]:
    """A serializer's nested errors, flattened."""
    if isinstance(detail, dict):
        for key, inner in detail.items():
            yield from _problems(inner, codes[key], _joined(path, key))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, dict | list)
            yield from _problems(inner, codes[index], f"{path}[{index}]" if nested else path)
    else:
        yield Problem(path, str(codes), str(detail))


def _joined(path: str, key: str | int) -> str:
    if key == "non_field_errors":
        return path
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key
