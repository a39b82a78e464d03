"""Keeping http tasks away from private addresses.

A DAG's author, or whoever may fill in its parameters, must not reach through a worker what only the
worker can reach: cloud metadata, databases, the admin of a neighbour. A host name is resolved once,
every address it has is checked, and the connection goes to an address that was: a second answer of
a hostile name server comes too late. What an operator allows (SKYTRAIL_HTTP_ALLOWED) passes.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import httpx

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Carrier-grade NAT: private in practice, though not to Python's `is_private`.
_SHARED = ipaddress.ip_network("100.64.0.0/10")


class PrivateAddress(Exception):
    """The host is, or may be, inside the network; the text says how an operator allows it."""


class Guard:
    """Decides which addresses may be reached. `allowed` are host names, addresses and networks."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._hosts: set[str] = set()
        self._networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        for word in allowed:
            try:
                self._networks.append(ipaddress.ip_network(word, strict=False))
            except ValueError:
                self._hosts.add(word.lower().rstrip("."))

    def check(self, host: str, port: int) -> str:
        """An address of `host` that may be connected to.

        Raises `PrivateAddress` if any of its addresses is private, and `OSError` where the name
        leads nowhere.
        """
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [_plain(str(answer[4][0])) for answer in answers]
        if host.lower().rstrip(".") not in self._hosts:
            for address in addresses:
                if is_private(address) and not self._is_allowed(address):
                    raise PrivateAddress(
                        f"{host} is at {address}, a private address, which http tasks may not "
                        f"reach; an operator can allow it: SKYTRAIL_HTTP_ALLOWED={host}"
                    )
        return str(addresses[0])

    def _is_allowed(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def is_private(address: Address) -> bool:
    """Whether an address is anything but a public one of a single host."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or _nat64(address)
        if inner is not None:
            return is_private(inner)
    return not address.is_global or address.is_multicast or address in _SHARED


def _nat64(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address in ipaddress.ip_network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _plain(text: str) -> Address:
    return ipaddress.ip_address(text.partition("%")[0])


class GuardedTransport(httpx.HTTPTransport):
    """Connects only where the guard allows, to the very address that it has checked."""

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__(trust_env=False)
        self._guard = Guard(allowed)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        # Each redirect comes through here too.
        host = request.url.host
        port = request.url.port or {"http": 80, "https": 443}[request.url.scheme]
        address = self._guard.check(host, port)
        # The Host header is set already; TLS asks for and checks the name, not the address.
        request.extensions = {**request.extensions, "sni_hostname": host}
        request.url = request.url.copy_with(host=address)
        return super().handle_request(request)
