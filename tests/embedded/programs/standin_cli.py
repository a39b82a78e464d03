"""Stands in for `skytrail web|dispatcher|worker|beat|flower`: says who it is, and waits."""

from __future__ import annotations

import os
import signal
import socket
import sys


def main(name: str, *arguments: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    print("started with", name, *arguments, flush=True)  # noqa: T201
    if name == "web" and os.environ.get("STANDIN_WEB") != "mute":
        serve(int(arguments[arguments.index("--port") + 1]))
    signal.pause()


def serve(port: int) -> None:
    """Answer 200 to whoever asks for /health. (The standard library's server starts slowly.)"""
    with socket.create_server(("127.0.0.1", port)) as server:
        while True:
            connection, _ = server.accept()
            with connection:
                healthy = connection.recv(65_536).startswith(b"GET /health ")
                status = b"200 OK" if healthy else b"404 Not Found"
                connection.sendall(b"HTTP/1.0 " + status + b"\r\n\r\n")


main(*sys.argv[1:])
