"""HTTP requests."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from dags_app.domain.commands.base import Command, TaskType
from dags_app.domain.commands.parts import (
    HeaderName,
    HeaderValue,
    HttpUri,
    StatusRule,
    sorted_rules,
)
from dags_app.domain.fields import NO_OTHER_KEYS, Identifier, Number, Scalar, Whole


class HttpCommand(Command):
    """Makes an HTTP request; the response is the task's output."""

    type: Literal[TaskType.HTTP]
    conn_id: Identifier | None = None
    """A connection that knows the host, and what to send along: login, token, headers."""
    uri: HttpUri
    """Where to: http:// or https://, or with `conn_id` a path; templates are rendered."""
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = "GET"
    headers: Annotated[dict[HeaderName, HeaderValue], NO_OTHER_KEYS] = {}
    """Request headers; templates are rendered."""
    params: dict[str, Scalar] = {}
    """The query string's keys and values; templates are rendered."""
    json_body: Any = Field(default=None, alias="json")
    """A JSON body; templates are rendered."""
    body: str | None = None
    """A text body; templates are rendered."""
    expected_status: Annotated[list[StatusRule], AfterValidator(sorted_rules)] = Field(
        default=["200-299"], min_length=1
    )
    """The statuses that mean success; any other fails the task."""
    request_timeout_seconds: Number = Field(default=30.0, gt=0, le=3600)
    """How long to wait for a connection, and for each part of the response."""
    max_response_bytes: Whole = Field(default=32_768, ge=0, le=8_388_608)
    """How much of the response body is kept as output; the rest is dropped and marked so."""

    templated: ClassVar = frozenset({"uri", "headers", "params", "json_body", "body"})

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        if self.json_body is not None and self.body is not None:
            raise PydanticCustomError(
                "two_bodies", "json and body are both given; a request has one body: keep one"
            )
        return self
