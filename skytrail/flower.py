"""Flower behind Django's login, on the same port: read-only, for staff."""

from __future__ import annotations

from functools import cache

import httpx
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

#: Headers that belong to one connection, or to one of the two servers.
_OWN = {
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailers",
    "transfer-encoding", "upgrade", "content-length", "content-encoding", "host", "cookie",
    "authorization", "set-cookie", "x-frame-options",
}  # fmt: skip


@require_safe
async def flower(request: HttpRequest, path: str = "") -> HttpResponse:
    """Hands a page of Flower on."""
    user = await request.auser()
    if not user.is_staff:
        return HttpResponse("Flower is for staff.", status=403, content_type="text/plain")
    client = _client()
    if client is None:
        return _away("Flower is not part of this installation (it was started without it).")
    try:
        answer = await client.get(
            f"/flower/{path}",
            params=request.GET.dict(),
            headers={k: v for k, v in request.headers.items() if k.lower() not in _OWN},
        )
    except httpx.HTTPError:
        return _away("Flower does not answer; it may still be starting. Try again in a moment.")
    headers = {name: value for name, value in answer.headers.items() if name.lower() not in _OWN}
    return HttpResponse(answer.content, status=answer.status_code, headers=headers)


def _away(message: str) -> HttpResponse:
    return HttpResponse(message, status=503, content_type="text/plain")


@cache
def _client() -> httpx.AsyncClient | None:
    if not settings.SKYTRAIL_FLOWER_URL:
        return None
    login = settings.SKYTRAIL_FLOWER_BASIC_AUTH
    auth = httpx.BasicAuth(*login.split(":", 1)) if login else None
    return httpx.AsyncClient(base_url=settings.SKYTRAIL_FLOWER_URL, auth=auth, timeout=15)
