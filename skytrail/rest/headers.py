"""What browsers are told about answers under /api/, beside what Django tells them anyway."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

#: JSON and text are no pages: a browser that shows one must run and load nothing in it.
NOTHING = "default-src 'none'; frame-ancestors 'none'"

#: The documentation's pages: everything comes from here, and no script stands in a page.
OWN_FILES = (
    "default-src 'none'; connect-src 'self'; font-src 'self' data:; frame-ancestors 'none';"
    " img-src 'self' data:; script-src 'self'; style-src 'self' 'unsafe-inline';"
    " worker-src 'self' blob:"
)


class Headers:
    """Adds a policy to answers, and keeps them out of caches."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if (policy := self.policy_of(request.path)) is not None:
            # Somebody's runs, and tokens: for nobody else, and not for the disk.
            response.headers.setdefault("Cache-Control", "no-store")
            response.headers.setdefault("Content-Security-Policy", policy)
        return response

    def policy_of(self, path: str) -> str | None:
        """The policy of what is at an address; None where others see to it."""
        raise NotImplementedError


class ApiHeaders(Headers):
    """Keeps answers out of caches, and browsers from making a page of them."""

    def policy_of(self, path: str) -> str | None:
        return NOTHING if path.startswith("/api/") else None
