"""The list of DAGs: search as you type, filters in the address."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from dags_app.access import check_allowed
from dags_app.selectors.dags import dags_matching, dags_named_like, owners_of, tags_of
from skytrail.rest.pagination import ByName
from skytrail.web.paging import page_of

#: Characters of a filter that are looked at: names are no longer.
LONGEST = 250

#: DAGs that are offered while somebody types.
OFFERED = 8


class Names(ByName):
    """DAGs in the order of their names."""

    ordering = ("dag_id",)


@require_GET
def dags(request: HttpRequest) -> HttpResponse:
    """The page, or only its rows where a filter has changed."""
    check_allowed(request.user, "dags_app.view_dag", purpose="see", what="DAGs")
    wanted = _wanted(request)
    page = page_of(request, dags_matching(request.user, **wanted), Names)
    context: dict[str, Any] = {
        "page": page,
        "wanted": wanted,
        "is_filtered": any(value is not None for value in wanted.values()),
        "may_change": request.user.has_perm("dags_app.change_dag"),
        "may_run": request.user.has_perm("dags_app.run_dag"),
        "may_add": request.user.has_perm("dags_app.add_dag"),
    }
    if request.headers.get("HX-Target") == "rows":
        return render(request, "dags_app/rows.html", context)
    context |= {"tags": tags_of(request.user), "owners": owners_of(request.user)}
    return render(request, "dags_app/dags.html", context)


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """DAGs to go to, while their name is being typed."""
    text = request.GET.get("q", "").strip()[:LONGEST]
    found = dags_named_like(request.user, text, most=OFFERED)
    return render(request, "dags_app/found.html", {"found": found, "text": text})


def _wanted(request: HttpRequest) -> dict[str, Any]:
    def text(name: str) -> str | None:
        return request.GET.get(name, "").strip()[:LONGEST] or None

    paused = {"yes": True, "no": False}.get(request.GET.get("paused", ""))
    return {"q": text("q"), "tag": text("tag"), "owner": text("owner"), "paused": paused}
