"""A PostgreSQL of its own for tests that give it trouble."""

from __future__ import annotations

import contextlib
import shutil
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg

from skytrail.embedded.home import Home
from skytrail.embedded.ports import Ports
from skytrail.embedded.postgres import EmbeddedPostgres
from tests.servers import Served
from tests.waiting import wait_until


@dataclass
class TroubledDatabase:
    """The server and what can happen to it. All of it is over before the call returns."""

    served: Served

    @property
    def url(self) -> str:
        return self.served.server.url

    def restart(self, *, immediate: bool = False) -> None:
        """As an administrator would; `immediate` ends it without a checkpoint, as a crash."""
        assert self.served.process is not None
        self.served.process.send_signal(signal.SIGQUIT if immediate else signal.SIGINT)
        self.served.process.wait(timeout=30)
        self.served.start().wait_until_ready()

    def pause(self) -> None:
        """Not one of its processes runs any more; the machine still takes what is sent to it."""
        assert self.served.process is not None
        first = psutil.Process(self.served.process.pid)
        first.suspend()  # the one that would start others
        for process in first.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()

    def resume(self) -> None:
        """The opposite."""
        assert self.served.process is not None
        first = psutil.Process(self.served.process.pid)
        for process in [*first.children(recursive=True), first]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Within, it is paused."""
        self.pause()
        try:
            yield
        finally:
            self.resume()

    def cut(self) -> int:
        """Ends everybody's connection, as a failover does; how many there were."""
        rows = self.ask(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return len(rows)

    @contextlib.contextmanager
    def read_only(self) -> Iterator[None]:
        """Within, it takes no changes, as a standby."""
        self._configure("ALTER SYSTEM SET default_transaction_read_only = on", "on")
        try:
            yield
        finally:
            self._configure("ALTER SYSTEM RESET default_transaction_read_only", "off")

    def ask(self, sql: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        """The rows of a statement, over a connection of its own that may always write."""
        options = "-c default_transaction_read_only=off"
        with psycopg.connect(self.url, autocommit=True, options=options) as connection:
            cursor = connection.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []

    def _configure(self, sql: str, value: str) -> None:
        self.ask(sql)
        self.ask("SELECT pg_reload_conf()")

        def is_so() -> bool:
            with psycopg.connect(self.url) as connection:
                (found,) = connection.execute("SHOW default_transaction_read_only").fetchone() or ()
                return bool(found == value)

        wait_until(is_so, what=f"the server's default is read-only: {value}")


@contextlib.contextmanager
def troubled_database() -> Iterator[TroubledDatabase]:
    """Starts one and takes it away."""
    # Short, and not below a folder of pytest's own: PostgreSQL may run as another user.
    folder = Path(tempfile.mkdtemp(prefix="sky-tests-"))
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
        home = Home(folder).create()
        cleanup.enter_context(home.locked())
        port = Ports().choose(purpose="PostgreSQL", option="DATABASE_URL")
        postgres = EmbeddedPostgres(home, port=port, fsync=False)
        cleanup.callback(postgres.place.forget)
        served = cleanup.enter_context(Served(postgres, log=folder / "postgres.log"))
        made = TroubledDatabase(served)
        cleanup.callback(made.resume)  # first: who is paused hears nothing
        yield made
