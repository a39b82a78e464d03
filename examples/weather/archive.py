"""A weather archive: a small web server for the files in `examples/data`.

Run as a program of its own: `python archive.py FOLDER` writes the port it listens on and serves
until it is asked to stop (`POST /stop`), until nobody has asked it anything for a minute, or until
the process that started it is gone. It needs nothing but Python.

As real archives do, it has its moods: SOURCE.md answers 503 the first time it is asked for, and
`?damaged=true` delivers measurements that cannot be right.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

IDLE_SECONDS = 60

BUSY_AT_FIRST = "/SOURCE.md"

_TYPES = {".csv": "text/csv; charset=utf-8", ".md": "text/markdown; charset=utf-8"}


class Archive(ThreadingHTTPServer):
    """Serves the files of one folder on a free port of this machine alone."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Visitor)
        self.folder = folder
        self.last_asked = time.monotonic()
        self._was_busy = False
        self._starter = os.getppid()

    def service_actions(self) -> None:
        """Called every half second: whether anybody still needs it."""
        idle = time.monotonic() - self.last_asked > IDLE_SECONDS
        if idle or os.getppid() != self._starter:
            self.stop()

    def stop(self) -> None:
        """Ends `serve_forever`, from a thread: waiting for it in its own would never end."""
        threading.Thread(target=self.shutdown, daemon=True).start()

    def is_busy(self, path: str) -> bool:
        """True once: the first time that the file which is busy at first is asked for."""
        busy = path == BUSY_AT_FIRST and not self._was_busy
        self._was_busy = self._was_busy or busy
        return busy


class _Visitor(BaseHTTPRequestHandler):
    server: Archive

    def do_GET(self) -> None:
        """A file of the folder."""
        self.server.last_asked = time.monotonic()
        url = urlsplit(self.path)
        file = self.server.folder / Path(url.path).name
        if file.suffix not in _TYPES or not file.is_file():
            self._answer(HTTPStatus.NOT_FOUND, b"there is no such file\n")
        elif self.server.is_busy(url.path):
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, b"busy: please ask again\n")
        else:
            data = file.read_bytes()
            if parse_qs(url.query).get("damaged") == ["true"]:
                data = damaged(data)
            self._answer(HTTPStatus.OK, data, _TYPES[file.suffix])

    def do_POST(self) -> None:
        """`/stop`: the end."""
        self._answer(HTTPStatus.OK, b"closing\n")
        self.server.stop()

    def _answer(self, status: HTTPStatus, body: bytes, kind: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Nobody reads what it would say."""


def damaged(data: bytes) -> bytes:
    """The daily file with a day missing, a negative rainfall, and a maximum below the minimum."""
    lines = data.decode().splitlines()
    del lines[100]
    for number, column, value in ((200, 1, "-4.0"), (300, 2, "-40.0")):
        fields = lines[number].split(",")
        fields[column] = value
        lines[number] = ",".join(fields)
    return "\n".join([*lines, ""]).encode()


def main() -> None:
    """Serves until the end."""
    archive = Archive(Path(sys.argv[1]))
    print(archive.server_port, flush=True)
    with archive:
        archive.serve_forever()


if __name__ == "__main__":
    main()
