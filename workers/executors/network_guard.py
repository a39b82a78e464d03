"""Keeping http tasks away from private addresses.

A DAG's author, or whoever may fill in its parameters, must not reach through a worker what only the
worker can reach: cloud metadata, databases, the admin of a neighbour. A host name is resolved once,
every address it has is checked, and the connection goes to an address that was: a second answer of
a hostile name server comes too late. What an operator allows (SKYTRAIL_HTTP_ALLOWED) passes.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TypeAlias

import httpx

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Carrier-grade NAT: private in practice, though not to Python's `is_private`.
_SHARED = ipaddress.ip_network("100.64.0.0/10")

#: All of IPv6 that is public; Python also takes what has been retired or never given out for it.
_PUBLIC_6 = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

#: So many of a host's addresses are tried.
_TRIED = 3


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

    def check(self, host: str, port: int) -> list[str]:
        """The addresses of `host`, all of which may be connected to.

        Raises `PrivateAddress` if any of them is private, and `OSError` where the name leads
        nowhere.
        """
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except UnicodeError:
            raise OSError(f"{host[:80]!r} cannot be the name of a host") from None
        addresses = list(dict.fromkeys(_plain(str(answer[4][0])) for answer in answers))
        if host.lower().rstrip(".") not in self._hosts:
            for address in addresses:
                if is_private(address) and not self._is_allowed(address):
                    raise PrivateAddress(
                        f"{host} is at {address}, a private address, which http tasks may not "
                        f"reach; an operator can allow it: SKYTRAIL_HTTP_ALLOWED={host}"
                    )
        return [str(address) for address in addresses]

    def _is_allowed(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def is_private(address: Address) -> bool:
    """Whether an address is anything but a public one of a single host."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or _nat64(address)
        if inner is not None:
            return is_private(inner)
        if address not in _PUBLIC_6:
            return True
    return not address.is_global or address.is_multicast or address in _SHARED


def _nat64(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _plain(text: str) -> Address:
    return ipaddress.ip_address(text.partition("%")[0])


class GuardedTransport(httpx.HTTPTransport):
    """Connects only where the guard allows, to the very address that it has checked."""

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__(verify=_certificates(), trust_env=False)
        self._guard = Guard(allowed)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        # Each redirect comes through here too.
        url = request.url
        if url.scheme not in _PORTS or not url.host:
            raise httpx.UnsupportedProtocol(f"no http:// or https:// address: {url.scheme}:…")
        host = url.raw_host.decode("ascii")
        *others, last = self._guard.check(host, url.port or _PORTS[url.scheme])[:_TRIED]
        for address in others:
            try:
                return super().handle_request(_pinned(request, host, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # as where a host has an IPv6 address that nobody here can reach
        return super().handle_request(_pinned(request, host, last))


_PORTS = {"http": 80, "https": 443}


def _pinned(request: httpx.Request, host: str, address: str) -> httpx.Request:
    """The same request to an address of its host. The request itself keeps the name: where it is
    redirected to may be relative to that.
    """
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,  # with the Host header
        stream=request.stream,
        # TLS asks for and checks the name, not the address.
        extensions={**request.extensions, "sni_hostname": host},
    )


@cache
def _certificates() -> ssl.SSLContext:
    """Read once per process, which takes longer than a request; an operator's own ones count."""
    file, directory = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file or directory:
        return ssl.create_default_context(cafile=file, capath=directory)
    return httpx.create_ssl_context(trust_env=False)
