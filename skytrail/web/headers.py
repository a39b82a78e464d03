"""What browsers are told about our pages: load nothing from elsewhere, run nothing in them."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

#: Neither `unsafe-inline` nor `unsafe-eval`, for scripts and styles alike: names of DAGs, logs and
#: outputs are other people's text.
PAGES = (
    "default-src 'none'; base-uri 'none'; connect-src 'self'; font-src 'self'; form-action 'self';"
    " frame-ancestors 'none'; img-src 'self' data:; script-src 'self'; style-src 'self'"
)

#: The admin is a library's; its pages come with a policy of their own or none.
_OTHERS = ("/admin/", "/api/", "/flower/")


class PageHeaders:
    """Adds the policy to every page of ours, and keeps pages out of shared caches."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if not request.path.startswith(_OTHERS):
            response.headers.setdefault("Content-Security-Policy", PAGES)
            response.headers.setdefault("Cache-Control", "no-store")
        return response
