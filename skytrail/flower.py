"""Flower behind Django's login, on the same port: read-only, for staff.

Whatever a browser asks for, Flower is only ever sent GET: everything that it can do to workers and
tasks is a POST.
"""

from __future__ import annotations

import ssl
from functools import cache
from urllib.parse import quote

import httpx
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.views.decorators.csrf import csrf_exempt

#: The table of tasks is asked for with POST, because the question is long. It changes nothing.
_ASKED_WITH_POST = "tasks/datatable"

#: The parameters of the table of tasks are about 5 KB.
_LONGEST_QUERY = 32_768

#: What Flower needs to know of a request: the rest is about us, or about one connection.
_ASKED = ("accept", "accept-language", "if-none-match", "if-modified-since", "x-requested-with")

#: What a browser needs to know of an answer. No cookie of Flower's: it has nothing to remember.
_ANSWERED = ("content-type", "etag", "last-modified", "cache-control", "location", "vary")

#: Flower shows what others named: a script among it must not run. Its own come from files.
_POLICY = (
    "default-src 'none'; connect-src 'self'; font-src 'self'; frame-ancestors 'none';"
    " img-src 'self' data:; script-src 'self'; style-src 'self' 'unsafe-inline'"
)


@csrf_exempt  # nothing is changed by any request, and no other site can read the answer
async def flower(request: HttpRequest, path: str = "") -> HttpResponse:
    """Hands a page of Flower on."""
    user = await request.auser()
    if not user.is_staff:
        return _says("Flower is for staff. Ask an administrator to make you a member.", status=403)
    if request.method == "POST" and path == _ASKED_WITH_POST:
        question = request.POST.urlencode()
    elif request.method in {"GET", "HEAD"}:
        question = request.GET.urlencode()
    else:
        return HttpResponseNotAllowed(["GET", "HEAD"])
    if len(question) > _LONGEST_QUERY:
        return _says("That question is too long for Flower.", status=414)
    return await _ask(request, path, question)


async def _ask(request: HttpRequest, path: str, question: str) -> HttpResponse:
    if not settings.SKYTRAIL_FLOWER_URL:
        return _says("Flower is not part of this installation (it was started without it).")
    address = httpx.URL(settings.SKYTRAIL_FLOWER_URL).copy_with(
        # Quoted: a `?` or `..` in a worker's name stays in its name.
        raw_path=f"/flower/{quote(path)}{'?' if question else ''}{question}".encode()
    )
    headers = {name: request.headers[name] for name in _ASKED if name in request.headers}
    # A client of its own: one for all would belong to the event loop that it first ran in.
    async with httpx.AsyncClient(auth=_login(), timeout=15, verify=_tls()) as client:
        try:
            answer = await client.get(address, headers=headers)
        except httpx.HTTPError:
            return _says("Flower does not answer; it may still be starting. Try again in a moment.")
    return _handed_on(answer)


def _handed_on(answer: httpx.Response) -> HttpResponse:
    headers = {name: answer.headers[name] for name in _ANSWERED if name in answer.headers}
    response = HttpResponse(answer.content, status=answer.status_code, headers=headers)
    response.headers["Content-Security-Policy"] = _POLICY
    return response


def _says(message: str, *, status: int = 503) -> HttpResponse:
    return HttpResponse(message, status=status, content_type="text/plain; charset=utf-8")


def _login() -> httpx.BasicAuth | None:
    login = settings.SKYTRAIL_FLOWER_BASIC_AUTH
    return httpx.BasicAuth(*login.split(":", 1)) if login else None


@cache
def _tls() -> ssl.SSLContext:
    """Made once: it takes longer than most of Flower's answers."""
    return httpx.create_ssl_context()
