"""What views ask of a request beyond its body."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.serializers import Serializer

from skytrail.errors import Invalid


class BadRequest(Invalid):
    """The request cannot be understood."""


def actor_of(request: Request) -> str:
    """Who acts, as history and versions write it."""
    return f"user:{request.user.get_username()}"


def query(request: Request, serializer: type[Serializer[Any]]) -> dict[str, Any]:
    """The query string, read by `serializer`; raises REST framework's `ValidationError`."""
    read = serializer(data=request.query_params)
    read.is_valid(raise_exception=True)
    return dict(read.validated_data)


def body(request: Request, serializer: type[Serializer[Any]]) -> dict[str, Any]:
    """The body, read by `serializer`, which refuses keys that it does not know.

    Raises REST framework's `ValidationError`, or `BadRequest` for an unknown key.
    """
    data: Any = request.data or {}
    if not isinstance(data, dict):
        raise BadRequest.because("", "not_an_object", "the body must be an object: { … }")
    read = serializer(data=data)
    for name in data.keys() - read.fields.keys():
        raise BadRequest.because(name, "unknown_key", f"known keys are {', '.join(read.fields)}")
    read.is_valid(raise_exception=True)
    return dict(read.validated_data)
