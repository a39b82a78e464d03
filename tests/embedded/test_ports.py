"""A port that is taken is named, with what it is for and how to choose another one."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from skytrail.embedded.ports import LOOPBACK, Ports, PortUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def busy() -> Iterator[int]:
    with socket.create_server((LOOPBACK, 0)) as server:
        yield server.getsockname()[1]


def test_a_busy_port_is_named_with_its_purpose_its_holder_and_the_way_out(busy: int) -> None:
    with pytest.raises(PortUnavailable) as refused:
        Ports().choose(purpose="web", option="--port", asked=busy)
    message = refused.value.message
    assert f"Port {busy} for web" in message
    assert f"(pid {os.getpid()})" in message
    assert "--port" in message


def test_a_busy_default_is_an_error_too(busy: int) -> None:
    with pytest.raises(PortUnavailable, match="Flower"):
        Ports().choose(purpose="Flower", option="--flower-port", default=busy)


def test_zero_is_any_free_port() -> None:
    port = Ports().choose(purpose="web", option="--port", asked=0, default=1)
    with socket.create_server((LOOPBACK, port)) as server:
        assert server.getsockname()[1] == port


def test_the_port_asked_for_wins_over_the_default(busy: int) -> None:
    free = Ports().choose(purpose="web", option="--port")
    assert Ports().choose(purpose="web", option="--port", asked=free, default=busy) == free


def test_one_port_for_two_purposes_is_refused() -> None:
    ports = Ports()
    port = ports.choose(purpose="web", option="--port")
    with pytest.raises(PortUnavailable, match="web has it already"):
        ports.choose(purpose="Flower", option="--flower-port", asked=port)
    assert ports.chosen == {"web": port}


@pytest.mark.parametrize("number", [-1, 65_536])
def test_a_number_that_is_no_port_is_refused(number: int) -> None:
    with pytest.raises(PortUnavailable, match="from 1 to 65535"):
        Ports().choose(purpose="web", option="--port", asked=number)


def test_connections_of_an_earlier_server_that_fade_out_are_no_obstacle() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection((LOOPBACK, port)):
            server.accept()[0].close()  # whoever closes first keeps the port in TIME_WAIT
    assert Ports().choose(purpose="web", option="--port", asked=port) == port
