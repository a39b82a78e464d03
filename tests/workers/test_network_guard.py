from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest

from workers.executors.network_guard import Guard, PrivateAddress, is_private

PRIVATE = """
    127.0.0.1 127.255.255.254 0.0.0.0 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1
    169.254.169.254 100.64.0.1 100.127.255.255 192.0.0.1 192.0.2.1 198.18.0.1 198.51.100.1
    203.0.113.1 224.0.0.1 240.0.0.1 255.255.255.255 :: ::1 ::127.0.0.1 ::ffff:127.0.0.1
    ::ffff:10.0.0.1 fc00::1 fd00::1 fe80::1 fec0::1 ff02::1 64:ff9b::7f00:1 64:ff9b:1::1
    2002:7f00:1:: 2001::1 2001:db8::1 100::1 4000::1
""".split()  # noqa: SIM905  # as many as these read better so

PUBLIC = """
    1.1.1.1 8.8.8.8 172.32.0.1 100.128.0.1 2606:4700::1111 64:ff9b::808:808
""".split()  # noqa: SIM905  # as many as these read better so

#: Other spellings of 127.0.0.1 that resolvers know.
SPELLINGS = ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1.", "localhost", "0"]


@pytest.mark.parametrize("address", PRIVATE)
def test_private(address: str) -> None:
    assert is_private(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert not is_private(ipaddress.ip_address(address))


@pytest.mark.parametrize("host", SPELLINGS)
def test_however_it_is_spelled(host: str) -> None:
    with pytest.raises((PrivateAddress, OSError)):
        Guard([]).check(host, 80)


def test_names_addresses_and_networks_can_be_allowed() -> None:
    assert Guard(["LOCALHOST."]).check("localhost", 80)
    assert Guard(["127.0.0.1"]).check("127.0.0.1", 80) == ["127.0.0.1"]
    assert Guard(["127.0.0.0/8"]).check("127.9.9.9", 80) == ["127.9.9.9"]
    with pytest.raises(PrivateAddress, match=r"SKYTRAIL_HTTP_ALLOWED=127\.0\.0\.1"):
        Guard(["10.0.0.0/8", "elsewhere"]).check("127.0.0.1", 80)


class Resolver:
    """A hostile name server: each question has another answer."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int, **_: Any) -> list[Any]:
        self.asked += 1
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in self.answers.pop(0)
        ]


def test_one_private_address_among_public_ones_is_one_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Resolver(["8.8.8.8", "10.0.0.1"]))
    with pytest.raises(PrivateAddress, match=r"10\.0\.0\.1"):
        Guard([]).check("rebinding.example", 80)


def test_what_was_checked_is_what_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second answer, which would be private, is not asked for."""
    resolver = Resolver(["8.8.8.8"], ["127.0.0.1"])
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    assert Guard([]).check("rebinding.example", 80) == ["8.8.8.8"]
    assert resolver.asked == 1
