"""Lists come in pages that a cursor leads through: as fast at the end as at the beginning.

A cursor names the row that a page ends with, by all the columns that rows are ordered by. So pages
neither repeat nor miss rows while others are added, however many rows share a time (REST
framework's own cursor counts those, and gives up at a thousand: a schedule may create ten thousand
runs in one statement).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.core import signing
from django.db.models import Model, Q, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from skytrail.rest.requests import BadRequest

Place = tuple[str | int, ...]


class NewestFirst(BasePagination):
    """`?limit=` rows a page (50, at most 200); `next` and `previous` are addresses, or null."""

    #: The parameters that are read here.
    parameters = ("limit", "cursor")

    page_size: ClassVar[int] = 50
    max_page_size: ClassVar[int] = 200
    #: Columns that tell every two rows apart: all of them ascending, or all descending.
    ordering: ClassVar[tuple[str, ...]] = ("-created_at", "-id")

    _request: Request
    _next: Place | None = None
    _previous: Place | None = None

    def paginate_queryset(  # type: ignore[override]  # no list is paged, only what can be ordered
        self, queryset: QuerySet[Any], request: Request, view: Any = None
    ) -> list[Any]:
        self._request = request
        limit = self._limit()
        backwards, place = self._cursor() or (False, None)
        columns, falling = self._columns()
        if place is not None:
            queryset = queryset.filter(_beyond(columns, place, falling=falling != backwards))
        order = [f"-{name}" if falling != backwards else name for name in columns]
        # One more than is shown tells whether there is another page.
        found = list(queryset.order_by(*order)[: limit + 1])
        there_is_more, rows = len(found) > limit, found[:limit]
        if backwards:
            rows.reverse()
        if rows and (there_is_more or backwards):
            self._next = _place(rows[-1], columns)
        if rows and (there_is_more if backwards else place is not None):
            self._previous = _place(rows[0], columns)
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "next": self._address(self._next, backwards=False),
                "previous": self._address(self._previous, backwards=True),
                "results": data,
            }
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        address = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": {**address, "description": "Where the next page is; null at the end."},
                "previous": {**address, "description": "Null on the first page."},
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        limits = {"minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        return [
            {
                "name": "limit",
                "in": "query",
                "schema": {"type": "integer", **limits},
                "description": "Rows a page.",
            },
            {
                "name": "cursor",
                "in": "query",
                "schema": {"type": "string"},
                "description": "Where the page begins: part of `next` and `previous`.",
            },
        ]

    def _limit(self) -> int:
        text = self._request.query_params.get("limit", str(self.page_size))
        # The length first: Python refuses to read numbers of thousands of digits.
        is_number = text.isascii() and text.isdigit() and len(text) < 10
        if is_number and 1 <= int(text) <= self.max_page_size:
            return int(text)
        hint = f"give a whole number from 1 to {self.max_page_size}"
        raise BadRequest.because("limit", "bad_limit", hint)

    def _cursor(self) -> tuple[bool, Place] | None:
        """Which way to go (True: backwards), and from where."""
        text = self._request.query_params.get("cursor")
        if text is None:
            return None
        try:
            backwards, *place = signing.loads(text, salt=self._salt)
        except signing.BadSignature:
            hint = "take the whole address from `next` or `previous` of another page"
            raise BadRequest.because("cursor", "bad_cursor", hint) from None
        return backwards, tuple(place)

    def _address(self, place: Place | None, *, backwards: bool) -> str | None:
        if place is None:
            return None
        cursor = signing.dumps([backwards, *place], salt=self._salt)
        here = self._request.build_absolute_uri()
        return str(replace_query_param(here, "cursor", cursor))

    @property
    def _salt(self) -> str:
        # A cursor is good for lists of its own order only: elsewhere its values mean nothing.
        return f"cursor:{type(self).__qualname__}:{','.join(self.ordering)}"

    def _columns(self) -> tuple[list[str], bool]:
        """The columns, and whether rows fall along them."""
        return [name.removeprefix("-") for name in self.ordering], self.ordering[0][0] == "-"


class ByName(NewestFirst):
    """In the order of their names."""

    ordering = ("name",)


def _place(row: Model, columns: Sequence[str]) -> Place:
    return tuple(_plain(getattr(row, name)) for name in columns)


def _plain(value: Any) -> str | int:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, int) else str(value)


def _beyond(columns: Sequence[str], place: Place, *, falling: bool) -> Q:
    """Rows that come after `place`: `(a, b) < (x, y)`, said so that an index on `a` serves."""
    lookup = "lt" if falling else "gt"
    rows = Q()
    for name, value in reversed(list(zip(columns, place, strict=True))):
        closer = Q((f"{name}__{lookup}", value))
        rows = closer if not rows else Q((f"{name}__{lookup}e", value)) & (closer | rows)
    return rows
