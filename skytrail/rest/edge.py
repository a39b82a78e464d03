"""The door that every request comes through: huge bodies are turned away before they are read.

Django reads a body to its end, onto the disk, before any view can look at how long it is.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from django.conf import settings

from skytrail.documents import MAX_BYTES, DocumentTooLarge
from skytrail.errors import Problem
from skytrail.rest.errors import body_of

Message = Mapping[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

#: After a refusal the client is listened to for so long, and no longer: who hangs up on a client
#: that is still sending makes its operating system throw the answer away.
_LINGER_SECONDS = 2.0


class BodyLimit:
    """Answers 413 to bodies over the limit: by what they say of themselves, or by counting."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        limit = _limit(scope["path"])
        if _announced(scope) > limit:
            await _refuse(limit, receive, send)
            return
        counted = _Counted(receive, limit)
        await self._application(scope, counted, send)
        if counted.is_over:
            await _refuse(limit, receive, send)


class _Counted:
    """`receive` until the limit; from then on, to the application, the client has gone away."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._left = limit
        self.is_over = False

    async def __call__(self) -> Message:
        if self.is_over:
            return {"type": "http.disconnect"}
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            # Django gives up on a request whose client has gone, without an answer of its own.
            self.is_over = True
            return {"type": "http.disconnect"}
        return message


def _limit(path: str) -> int:
    return MAX_BYTES if path.startswith("/api/") else settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def _announced(scope: Scope) -> int:
    """What Content-Length says; 0 where it says nothing."""
    values = [value for name, value in scope["headers"] if name == b"content-length"]
    # The server has checked that it is a number; Python reads none of thousands of digits.
    return int(values[0][:20]) if values else 0


async def _refuse(limit: int, receive: Receive, send: Send) -> None:
    hint = f"the body is longer than {limit:,} bytes; send less at once"
    error = DocumentTooLarge(limit=limit, problems=[Problem("", "too_large", hint)])
    answer = json.dumps(body_of(error)).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(answer)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": answer, "more_body": True})
    with suppress(TimeoutError):
        await asyncio.wait_for(_hear_out(receive), _LINGER_SECONDS)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _hear_out(receive: Receive) -> None:
    """Takes what the client still has to say, and keeps none of it."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return
