"""Filters of the list of DAGs."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Func, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import HttpRequest

from dags_app.models import Dag

#: Tags beyond these are found with the search box.
MAX_TAGS = 50


class ScheduleFilter(admin.SimpleListFilter):
    """Whether they run by themselves."""

    title = "schedule"
    parameter_name = "scheduled"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """With a schedule or without."""
        return [("yes", "With a schedule"), ("no", "Only when triggered")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Dag]) -> QuerySet[Dag]:
        """Those with what was chosen."""
        match self.value():
            case "yes":
                return queryset.filter(schedule__isnull=False)
            case "no":
                return queryset.filter(schedule__isnull=True)
        return queryset


class TagFilter(admin.SimpleListFilter):
    """One of their tags."""

    title = "tag"
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The tags that there are."""
        one = Func("tags", function="unnest", output_field=TextField())
        tags = (
            Dag.objects.visible_to(request.user)
            .annotate(tag=Cast(one, TextField()))
            .order_by("tag")
            .values_list("tag", flat=True)
            .distinct()[:MAX_TAGS]
        )
        return [(tag, tag) for tag in tags]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Dag]) -> QuerySet[Dag]:
        """Those with the tag."""
        tag = self.value()
        return queryset.filter(tags__contains=[tag]) if tag else queryset
