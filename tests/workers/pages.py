"""A small web server for http tasks, whose pages are functions."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass
class Request:
    """What somebody has asked for."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Page:
    """An answer."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class _Handler(http.server.BaseHTTPRequestHandler):
    site: Site

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(self.command, self.path, dict(self.headers), self.rfile.read(length))
        self.site.requests.append(request)
        page = self.site.pages[self.path.partition("?")[0]]
        page = page(request) if callable(page) else page
        # Whoever has read enough may hang up.
        with contextlib.suppress(OSError):
            self.send_response(page.status)
            for name, value in {"Content-Length": str(len(page.body)), **page.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(page.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer  # noqa: N815

    def log_message(self, *arguments: object) -> None:
        """Quiet."""


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *arguments: object) -> None:
        """Clients that hang up are part of the tests."""


@dataclass
class Site:
    """The server's pages by path, and what was asked of it."""

    port: int
    pages: dict[str, Page | Callable[[Request], Page]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)

    def url(self, path: str, *, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"


@contextlib.contextmanager
def serving() -> Iterator[Site]:
    """A server on the loopback address."""

    class Handler(_Handler):
        pass

    with _Server(("127.0.0.1", 0), Handler) as server:
        Handler.site = site = Site(server.server_port)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="pages")
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
