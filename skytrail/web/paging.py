"""Lists in pages, with the cursors that REST's lists have too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from rest_framework.request import Request

from skytrail.rest.pagination import NewestFirst


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and the query strings of the pages before and after them; empty at an end."""

    rows: list[Any]
    next: str
    previous: str

    @property
    def is_only(self) -> bool:
        return not (self.next or self.previous)


def page_of(
    request: HttpRequest, rows: QuerySet[Any], paginator: type[NewestFirst], *, limit: int = 50
) -> Page:
    """The page of `rows` that the query string asks for. Raises `BadRequest` for a bad cursor."""
    pages = paginator()
    pages.page_size = limit  # type: ignore[misc]  # of this one
    shown = pages.paginate_queryset(rows, Request(request))
    addresses = pages.get_paginated_response(None).data
    return Page(shown, _query(addresses["next"]), _query(addresses["previous"]))


def _query(address: str | None) -> str:
    return "" if address is None else f"?{urlsplit(address).query}"


def with_parameters(request: HttpRequest, changes: Mapping[str, str | None]) -> str:
    """The query string of this page with `changes`; None takes a parameter away.

    A cursor belongs to the list that it was made for, and is left out.
    """
    query: QueryDict = request.GET.copy()
    query.pop("cursor", None)
    for name, value in changes.items():
        if value is None:
            query.pop(name, None)
        else:
            query[name] = value
    return f"?{query.urlencode()}"
