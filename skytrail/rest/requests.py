"""What views ask of a request: its query string and its body, both read strictly."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from skytrail.errors import Invalid, Problem


class BadRequest(Invalid):
    """The request cannot be understood."""


def actor_of(request: Request) -> str:
    """Who acts, as history and versions write it."""
    return f"user:{request.user.get_username()}"


def query(
    request: Request,
    serializer: type[serializers.Serializer[Any]],
    *,
    besides: Collection[str] = (),
) -> dict[str, Any]:
    """The query string, read by `serializer`; `besides` names parameters that others read.

    A list may be given as `?state=queued,running` or as `?state=queued&state=running`. Raises
    `BadRequest` for a parameter that is not known or given twice, so that a misspelt filter does
    not look as if everything matched it, and REST framework's `ValidationError`.
    """
    fields = serializer().fields
    _check_known(request.query_params, [*fields, *besides])
    data: dict[str, Any] = {}
    for name in request.query_params.keys() & fields.keys():
        values = request.query_params.getlist(name)
        if isinstance(fields[name], serializers.ListField):
            data[name] = [word for value in values for word in value.split(",") if word]
        else:
            data[name] = values[0]
            if len(values) > 1:
                raise BadRequest.because(name, "given_twice", "give this parameter once")
    return _validated(serializer(data=data))


def body(
    request: Request, serializer: type[serializers.Serializer[Any]], **options: Any
) -> dict[str, Any]:
    """The body, read by `serializer`, which refuses keys that it does not know.

    Raises REST framework's `ValidationError`, or `BadRequest` for an unknown key.
    """
    data: Any = request.data
    if not isinstance(data, dict):
        raise BadRequest.because("", "not_an_object", "the body must be an object: { … }")
    read = serializer(data=data, **options)
    _check_known(data, [name for name, field in read.fields.items() if not field.read_only])
    return _validated(read)


def _check_known(names: Iterable[str], known: Collection[str]) -> None:
    unknown = sorted(set(names) - set(known))
    if unknown:
        hint = "nothing is taken here"
        if known:
            hint = f"this is not known here; use {', '.join(known)}"
        raise BadRequest(problems=[Problem(name, "unknown_key", hint) for name in unknown])


def _validated(read: serializers.Serializer[Any]) -> dict[str, Any]:
    read.is_valid(raise_exception=True)
    return dict(read.validated_data)
