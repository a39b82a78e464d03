"""Which ports the parts listen on. All of them are on the loopback interface."""

from __future__ import annotations

import errno
import secrets
import socket
from types import MappingProxyType
from typing import TYPE_CHECKING

import psutil

from skytrail.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

LOOPBACK = "127.0.0.1"

#: Where free ports are looked for: below the range from which systems take the near end of outgoing
#: connections. A server that restarts must find its port free, not lent to somebody's client.
_FREE = range(20_000, 32_000)
_TRIES = 200


class PortUnavailable(Unavailable):
    """Port {port} for {purpose} cannot be used: {reason}.
    Choose another one with {option}, or any free one with {option} 0.
    """


class NoFreePort(Unavailable):
    """No free port was found on 127.0.0.1 for {purpose}. Name one with {option}."""


class Ports:
    """Chooses ports, each for one purpose, and never the same one twice."""

    def __init__(self) -> None:
        self._chosen: dict[str, int] = {}

    @property
    def chosen(self) -> Mapping[str, int]:
        """Purpose -> port, in the order of choosing."""
        return MappingProxyType(self._chosen)

    def choose(
        self, *, purpose: str, option: str, asked: int | None = None, default: int = 0
    ) -> int:
        """The port for `purpose`: the one asked for, else `default`; 0 means any free one.

        A named port that is busy is an error, also when it is only the default: whoever starts
        Skytrail has to know its address. `option` is what the error tells to change. Raises
        PortUnavailable or NoFreePort.
        """
        port = default if asked is None else asked
        if port == 0:
            port = self._free(purpose=purpose, option=option)
        elif reason := self._refusal(port):
            raise PortUnavailable(port=port, purpose=purpose, option=option, reason=reason)
        self._chosen[purpose] = port
        return port

    def _free(self, *, purpose: str, option: str) -> int:
        for _ in range(_TRIES):
            port = secrets.choice(_FREE)
            if self._refusal(port) is None:
                return port
        raise NoFreePort(purpose=purpose, option=option)

    def _refusal(self, port: int) -> str | None:
        """Why this port cannot be listened on, or None when it can."""
        if not 0 < port < 65_536:
            return "ports go from 1 to 65535"
        for purpose, taken in self._chosen.items():
            if taken == port:
                return f"{purpose} has it already"
        with socket.socket() as probe:
            # As servers do: connections of an earlier server that still fade out are no obstacle.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    return f"{_listener(port)} listens there"
                return f"the system says {error.strerror}"
        return None


def _listener(port: int) -> str:
    """Who listens on `port`, as far as this user may know."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            here = connection.laddr and connection.laddr.port == port
            if here and connection.status == psutil.CONN_LISTEN and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except (psutil.Error, OSError):
        pass  # a courtesy only
    return "another program"
