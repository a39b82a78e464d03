"""A Valkey of its own for tests that give it trouble."""

from __future__ import annotations

import contextlib
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import redis

from skytrail.celery import app as configured
from skytrail.embedded.home import Home
from skytrail.embedded.ports import Ports
from skytrail.embedded.valkey import EmbeddedValkey
from tests.servers import Served
from workers.broker.application import Application


class TroubledBroker:
    """A server, and what can happen to one."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self.url = served.server.url
        self.client = redis.Redis.from_url(self.url, socket_timeout=10)

    def application(self) -> Application:
        """The Celery application as web has it, over this broker."""
        made = Application("trouble", set_as_current=False)
        made.conf.update(configured.conf.changes or {})
        made.conf.update(broker_url=self.url, result_backend=self.url)
        return made

    def stop(self) -> None:
        """It ends, as for an update; what it keeps is kept."""
        self._served.stop()

    def start(self) -> None:
        """It is there again, at the same address."""
        self._served.start().wait_until_ready()

    @contextlib.contextmanager
    def gone(self) -> Iterator[None]:
        """Nobody listens."""
        self.stop()
        yield
        self.start()

    def forget(self) -> None:
        """It loses everything."""
        self.client.flushall()

    @contextlib.contextmanager
    def stalled(self) -> Iterator[None]:
        """It takes connections, and answers nothing."""
        process = self._served.process
        assert process is not None
        process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            process.send_signal(signal.SIGCONT)

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        """It refuses whatever takes memory."""
        self.client.config_set("maxmemory", 1)
        try:
            yield
        finally:
            self.client.config_set("maxmemory", 0)

    @contextlib.contextmanager
    def read_only(self) -> Iterator[None]:
        """It has become the replica of a server that is dead, as after a failover."""
        self.client.replicaof("127.0.0.1", 1)
        try:
            yield
        finally:
            self.client.replicaof("NO", "ONE")

    def cut_connections(self) -> None:
        """All but this one."""
        for kind in ("normal", "pubsub"):
            self.client.client_kill_filter(_type=kind, skipme=True)


@contextlib.contextmanager
def troubled_broker(*, durable: bool = False) -> Iterator[TroubledBroker]:
    """One that runs; `durable` if it is to keep its data over a restart."""
    folder = Path(tempfile.mkdtemp(prefix="sky-broker-"))
    try:
        home = Home(folder).create()
        port = Ports().choose(purpose="Redis", option="REDIS_URL")
        server = EmbeddedValkey(home, port=port, durable=durable)
        with home.locked(), Served(server, log=folder / "valkey.log") as served:
            broker = TroubledBroker(served)
            yield broker
            broker.client.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
