"""The proxy misbehaves in the ways it is asked to, and in no other."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import pytest

from chaos.proxy import Proxy
from tests.waiting import wait_until

#: For a connection on which nothing is to arrive; the other tests show that things arrive sooner.
_NOTHING_FOR = 0.3


class _Echo(socketserver.StreamRequestHandler):
    """Sends every line back, and notes it."""

    def handle(self) -> None:
        server = self.server
        assert isinstance(server, EchoServer)
        try:
            for line in self.rfile:
                server.heard.append(line)
                self.wfile.write(line)
        except ConnectionError:
            pass
        server.gone += 1


class EchoServer(socketserver.ThreadingTCPServer):
    """`heard` are the lines that came, `gone` is how many clients have left."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Echo)
        self.heard: list[bytes] = []
        self.gone = 0


@pytest.fixture
def server() -> Iterator[EchoServer]:
    with EchoServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(server: EchoServer) -> Iterator[Proxy]:
    with Proxy(server.server_address[1]) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: Proxy) -> Iterator[socket.socket]:
    with _connected(proxy) as client:
        assert _asks(client, b"hello\n") == b"hello\n"
        yield client


def _connected(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=5)


def _asks(client: socket.socket, line: bytes) -> bytes:
    client.sendall(line)
    return client.recv(100)


def _hears_nothing(client: socket.socket) -> bool:
    client.settimeout(_NOTHING_FOR)
    try:
        client.recv(100)
    except TimeoutError:
        client.settimeout(5)
        return True
    return False


def test_what_is_held_arrives_when_the_way_is_open_again(
    client: socket.socket, proxy: Proxy, server: EchoServer
) -> None:
    proxy.hold()
    client.sendall(b"late\n")
    assert _hears_nothing(client)
    assert server.heard == [b"hello\n"]

    proxy.open()
    assert client.recv(100) == b"late\n"


def test_what_is_held_on_its_way_to_the_server_arrives_after_its_sender_has_left(
    client: socket.socket, proxy: Proxy, server: EchoServer
) -> None:
    proxy.hold()
    client.sendall(b"last words\n")
    client.shutdown(socket.SHUT_WR)
    proxy.open()

    wait_until(lambda: server.heard == [b"hello\n", b"last words\n"])


def test_with_only_the_answers_held_the_server_hears_everything(
    client: socket.socket, proxy: Proxy, server: EchoServer
) -> None:
    proxy.hold(up=False)
    client.sendall(b"done?\n")
    wait_until(lambda: server.heard == [b"hello\n", b"done?\n"])
    assert _hears_nothing(client)

    proxy.open()
    assert client.recv(100) == b"done?\n"


def test_with_only_the_questions_held_answers_still_arrive(
    client: socket.socket, proxy: Proxy, server: EchoServer
) -> None:
    proxy.hold(up=False)
    client.sendall(b"asked before\n")
    wait_until(lambda: b"asked before\n" in server.heard)
    proxy.open()
    proxy.hold(down=False)
    client.sendall(b"asked too late\n")

    assert client.recv(100) == b"asked before\n"
    assert _hears_nothing(client)


def test_a_forgotten_connection_swallows_what_it_is_sent_and_ends_when_the_way_is_open(
    client: socket.socket, proxy: Proxy, server: EchoServer
) -> None:
    proxy.forget()
    wait_until(lambda: server.gone == 1, what="the server's side is gone")
    client.sendall(b"is anybody there?\n")
    assert _hears_nothing(client)

    proxy.open()
    with pytest.raises(ConnectionResetError):
        client.recv(100)
    assert server.heard == [b"hello\n"]


def test_who_connects_while_connections_are_forgotten_is_not_told_either(
    proxy: Proxy, server: EchoServer
) -> None:
    proxy.forget()
    with _connected(proxy) as client:
        client.sendall(b"is anybody there?\n")
        assert _hears_nothing(client)
    assert server.heard == []


def test_a_refusing_proxy_severs_what_is_connected_and_lets_nobody_in(
    client: socket.socket, proxy: Proxy
) -> None:
    proxy.refuse()
    with pytest.raises(ConnectionResetError):
        client.recv(100)
    with pytest.raises(ConnectionRefusedError):
        _connected(proxy)

    proxy.open()
    with _connected(proxy) as another:
        assert _asks(another, b"again\n") == b"again\n"


def test_a_severed_connection_can_be_made_anew_at_once(client: socket.socket, proxy: Proxy) -> None:
    proxy.sever()
    with pytest.raises(ConnectionResetError):
        client.recv(100)
    with _connected(proxy) as another:
        assert _asks(another, b"again\n") == b"again\n"


def test_a_delay_is_added_to_both_ways(client: socket.socket, proxy: Proxy) -> None:
    proxy.delay(0.1)
    began = time.monotonic()
    assert _asks(client, b"slow\n") == b"slow\n"
    assert time.monotonic() - began >= 0.2


def test_a_server_that_is_not_there_is_an_ended_connection(server: EchoServer) -> None:
    server.server_close()
    with (
        Proxy(server.server_address[1]) as proxy,
        pytest.raises(ConnectionResetError),
        _connected(proxy) as client,
    ):
        client.recv(100)
