"""What the pages of the admin have in common: who may see them, and how long lists are read."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.options import ModelAdmin as DjangoAdmin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from skytrail.errors import Forbidden, NotFound, SkytrailError

#: Rows beyond this many are not counted: nobody turns that many pages.
COUNTED = 10_000


class Bounded(Paginator):  # type: ignore[type-arg]  # not generic at run time
    """Pages of a table that may have millions of rows: counting them all costs more than a page."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, or that there are `COUNTED` at least."""
        rows: Any = self.object_list[:COUNTED]
        return int(rows.count())


class Listing(ChangeList):  # type: ignore[misc]  # untyped library
    """A list that does not offer to show all where nothing is filtered."""

    def get_results(self, request: HttpRequest) -> None:
        """The rows, and how many there are in all as far as that is known."""
        super().get_results(request)
        if not self.query and not self.has_active_filters:
            self.full_result_count = self.result_count


class Page(ModelAdmin):  # type: ignore[misc]  # untyped library
    """A list and its pages, in which no text breaks a query."""

    list_per_page = 50
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    paginator = Bounded
    compressed_fields = True
    list_filter_submit = True

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Ours."""
        return Listing

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """The list; a filter that the database could not even read filters nothing."""
        if any("\x00" in text for pair in request.GET.lists() for text in (pair[0], *pair[1])):
            messages.error(request, "This filter holds a NUL character; it has been removed.")
            return HttpResponseRedirect(request.path)
        answer: HttpResponseBase = super().changelist_view(request, extra_context)
        return answer


class ReadOnly(Page):
    """Rows that only Skytrail itself writes, seen by whoever may see their DAG."""

    actions: Any = None

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("dags_app.view_dag")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class Shown(ReadOnly):
    """Rows with a page of their own each, which is not a form."""

    #: The template of that page; what `context` makes is its context.
    page_template: str

    def context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the page of `row` shows."""
        raise NotImplementedError

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponseBase:
        """The page."""
        if object_id is None or request.method != "GET" or not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, object_id)
        if row is None:
            missing: HttpResponseBase = self._get_obj_does_not_exist_redirect(
                request, self.opts, object_id
            )
            return missing
        return TemplateResponse(request, self.page_template, self.context(request, row))


def actor_of(request: HttpRequest) -> str:
    """Who acts, as history and versions write it."""
    return f"user:{request.user.get_username()}"


class Told:
    """Tells the person at the screen what an action within refused, instead of failing."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        match error:
            case NotFound():
                raise Http404(error.message) from error
            case Forbidden():
                raise PermissionDenied(error.message) from error
            case SkytrailError():
                messages.error(self.request, summary(error))
                return True
        return False


def summary(error: SkytrailError) -> str:
    """An error with all its problems, on one line."""
    return " ".join([error.message, *lines(error)])


def lines(error: SkytrailError) -> list[str]:
    """An error's problems, one line each."""
    return [f"{problem.path}: {problem.message}".removeprefix(": ") for problem in error.problems]


def page_context(model_admin: DjangoAdmin[Any], request: HttpRequest, title: str) -> dict[str, Any]:
    """What every page of ours hands to its template."""
    return {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "model_admin": model_admin,
        "title": title,
        "media": model_admin.media,
    }
