"""What comes back from an HTTP request, read up to a size and made a value that can be kept."""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from runs_app.domain.outcomes import Unkeepable, keepable
from skytrail.documents import storable

#: What is read of a response at most, kept or not.
MAX_READ = 10 * 1024 * 1024

#: How much is unpacked at once: a small body may stand for a huge one.
_CHUNK = 65_536

#: Headers that are kept; others may hold cookies and tokens.
_KEPT = ("content-type", "content-length", "date", "etag", "last-modified", "location", "link")


class UnknownEncoding(Exception):
    """The response is packed in a way that was not asked for; the text says which."""


@dataclass(frozen=True, slots=True)
class Body:
    """The beginning of a response's body, unpacked."""

    data: bytes
    truncated: bool

    def text(self, charset: str | None) -> str:
        """As text; what is no such text, and what the database cannot store, is replaced."""
        try:
            text = self.data.decode(charset or "utf-8", "replace")
        except LookupError:  # there is no such charset
            text = self.data.decode("utf-8", "replace")
        return storable(text)


def read(response: httpx.Response, keep: int) -> Body:
    """The first `keep` bytes of a response that is being streamed.

    The rest is read as well, up to `MAX_READ`: a server that is cut off may not finish its work.
    Raises `UnknownEncoding`.
    """
    data = bytearray()
    total = 0
    for chunk in _unpacked(response):
        data += chunk[: max(0, keep - len(data))]
        total += len(chunk)
        if total > MAX_READ:
            break
    return Body(bytes(data), total > len(data))


def _unpacked(response: httpx.Response) -> Iterator[bytes]:
    """httpx would unpack as much as there is, and one packing within the other."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("identity", ""):
        yield from response.iter_raw(_CHUNK)
    elif encoding in ("gzip", "x-gzip", "deflate"):
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)  # either kind of header
        try:
            for packed in response.iter_raw(_CHUNK):
                rest = packed
                while rest and not unpacker.eof:
                    yield unpacker.decompress(rest, _CHUNK)
                    rest = unpacker.unconsumed_tail
            yield unpacker.flush()
        except zlib.error as error:
            raise UnknownEncoding(f"its {encoding} cannot be unpacked: {error}") from None
    else:
        raise UnknownEncoding(f"it is packed as {encoding[:40]!r}, which was not asked for")


def output_of(response: httpx.Response, body: Body) -> dict[str, Any]:
    """What is kept of a response: `{status_code, headers, body or json, truncated}`."""
    output = {
        "status_code": response.status_code,
        "headers": {
            name: storable(response.headers[name]) for name in _KEPT if name in response.headers
        },
        "truncated": body.truncated,
    }
    text = body.text(response.charset_encoding)
    if "json" in response.headers.get("content-type", "") and not body.truncated:
        with contextlib.suppress(ValueError, RecursionError):
            return dict(keepable({**output, "json": json.loads(text)}))
    while True:
        try:
            return dict(keepable({**output, "body": text}))
        except Unkeepable:
            # As JSON a text takes up to six times as much space: less of it, then.
            text = text[: len(text) // 2]
            output["truncated"] = True
