"""Lists come in pages that a cursor leads through: as fast at the end as at the beginning."""

from __future__ import annotations

from rest_framework.pagination import CursorPagination


class NewestFirst(CursorPagination):
    """`?limit=` rows a page (50, at most 200); `next` and `previous` are addresses, or null."""

    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200
    ordering: tuple[str, ...] = ("-created_at", "-id")


class ByName(NewestFirst):
    """In the order of their names."""

    ordering = ("name",)
