"""Views that answer with a page of rows."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from skytrail.rest.pagination import NewestFirst
from skytrail.rest.requests import query
from skytrail.rest.showing import show_all
from skytrail.rest.views import Nothing, View


class ListView(View):
    """Rows in pages, filtered by the query string."""

    reads_query = frozenset({"GET", "HEAD"})
    pagination_class: ClassVar[type[NewestFirst]] = NewestFirst

    def wanted(self, filters: type[Serializer[Any]] = Nothing) -> dict[str, Any]:
        """What the query string asks for, besides which page."""
        return query(self.request, filters, besides=self.pagination_class.parameters)

    def page(self, rows: QuerySet[Any], serializer: type[Serializer[Any]]) -> Response:
        """The page of `rows` that the query string asks for."""
        paginator = self.pagination_class()
        shown = paginator.paginate_queryset(rows, self.request, view=self)
        return paginator.get_paginated_response(show_all(serializer, shown))
