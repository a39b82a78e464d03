"""The OpenAPI document: what is said of every operation without each view saying it again."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from skytrail.rest.fields import Sparse


class ProblemSerializer(serializers.Serializer[Any]):
    """One thing that is wrong with what was sent."""

    path = serializers.CharField(
        help_text="Where: like `tasks[2].depends_on[0]`; empty for the whole."
    )
    code = serializers.CharField(help_text="A word for programs.")
    message = serializers.CharField(help_text="What is wrong, and what to do about it.")


class ErrorSerializer(serializers.Serializer[Any]):
    """What went wrong."""

    code = serializers.CharField(help_text="A word for programs, like `run_not_found`.")
    message = serializers.CharField(help_text="What is wrong, and what to do about it.")
    problems = ProblemSerializer(many=True, help_text="All of them at once; may be empty.")


class ErrorAnswerSerializer(serializers.Serializer[Any]):
    """The shape of every error."""

    error = ErrorSerializer()


#: What each status means here, where nothing more special is said.
_MEANINGS = {
    200: "Here it is.",
    201: "It has been created.",
    204: "It is gone.",
    400: "What was sent cannot be used; `problems` says where.",
    401: "Nobody is logged in, or the token is not valid (any more).",
    403: "You may see it, but not do that.",
    404: "It is not there, or not yours to see.",
    409: "It does not go together with what is there.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    429: "Too often; `Retry-After` says for how many seconds to wait.",
    503: "The database does not answer; try again in a moment.",
}


class Schema(AutoSchema):
    """Describes a view by its code: the docstring's first line is the operation's summary."""

    def get_summary(self) -> str | None:
        said = super().get_summary()
        return said or super().get_description().partition("\n")[0].rstrip(".") or None

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular's own signature
        return super().get_description().partition("\n")[2].strip()

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for status in self._errors():
            bodies.setdefault(str(status), self._error(status, _MEANINGS[status]))
        for code, answer in bodies.items():
            answer["description"] = answer["description"] or _MEANINGS[int(code)]
        return dict(sorted(bodies.items()))

    def _get_response_for_code(
        self, serializer: Any, status_code: str, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """A view names a status and says what it means there; the shape is always the same."""
        is_plain = isinstance(serializer, OpenApiResponse) and serializer.response is None
        if is_plain and int(status_code) >= 400:
            return self._error(int(status_code), str(serializer.description))
        answer: dict[str, Any] = super()._get_response_for_code(  # type: ignore[no-untyped-call]
            serializer, status_code, *args, **kwargs
        )
        return answer

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_basic_serializer(  # type: ignore[no-untyped-call]
            serializer, direction
        )
        if isinstance(serializer, Sparse):
            schema["required"] = sorted(set(schema["required"]) - set(serializer.sparse))
        return schema

    def _errors(self) -> list[int]:
        """What can go wrong with any operation of this kind."""
        found = [503]
        if any(self.get_auth()):
            found += [401, 403]
        if "{" in self.path:
            found.append(404)
        body = self._get_request_body()  # type: ignore[no-untyped-call]
        if self._get_parameters() or body:
            found.append(400)
        if self.method in {"POST", "PUT", "PATCH"}:
            found += [400, 413, 415]
        return found

    def _error(self, status: int, description: str) -> dict[str, Any]:
        schema = self.resolve_serializer(ErrorAnswerSerializer, "response").ref
        return {
            "description": description,
            "content": {"application/json": {"schema": schema}},
        }


class OpenApiView(APIView):
    """This document."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """The OpenAPI document."""
        return HttpResponse(_document(), content_type="application/vnd.oai.openapi+json")


@cache
def _document() -> bytes:
    """It is the same for everybody, and takes a second to make."""
    schema = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    return bytes(OpenApiJsonRenderer().render(schema))
