"""PostgreSQL and Redis for the tests: a pytest plugin, loaded with `-p tests.servers`.

It starts embedded servers, unless DATABASE_URL or REDIS_URL name others, before Django's settings
are read, and takes them away at the end. Under xdist the controller does so, and its workers
inherit the two variables; each has a database of its own, in Redis too.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import pytest

from skytrail.embedded.home import Home
from skytrail.embedded.ports import Ports
from skytrail.embedded.postgres import EmbeddedPostgres
from skytrail.embedded.valkey import EmbeddedValkey
from skytrail.errors import SkytrailError
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator

    from skytrail.embedded.command import Command

_PREFIX = "sky-tests-"
#: Seconds after which a folder whose tests were killed may go. A fresh one may not be locked yet.
_OLD = 3600.0
#: For runs that only look (`--collect-only`): settings can be read, nothing can be connected to.
_NOWHERE = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}

_cleanup = contextlib.ExitStack()


class Server(Protocol):
    """What EmbeddedPostgres and EmbeddedValkey have in common."""

    @property
    def url(self) -> str: ...
    @property
    def command(self) -> Command: ...
    def prepare(self) -> None: ...
    def is_ready(self) -> bool: ...


class Served:
    """An embedded server as a plain child process of the tests."""

    def __init__(self, server: Server, *, log: Path) -> None:
        self.server = server
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Served:
        self.server.prepare()
        command = self.server.command
        with self.log.open("ab") as output, warnings.catch_warnings():
            # Python 3.12 and later warn of a fork beside threads, which xdist's workers have. What
            # runs between fork and exec here takes no lock.
            warnings.filterwarnings("ignore", "This process .* multi-threaded", DeprecationWarning)
            self.process = subprocess.Popen(
                command.argv, stdout=output, stderr=output, **command.popen_options()
            )
        return self

    def wait_until_ready(self) -> Served:
        wait_until(self._is_ready, timeout=60, what="the server is ready")
        return self

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.send_signal(self.server.command.stop_signal)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process = None

    def kill(self) -> None:
        """Like a power cut: the server, and whatever it has started."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def __enter__(self) -> Served:
        return self.start().wait_until_ready()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _is_ready(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            pytest.fail(f"{self.server.command.argv[0]} ended:\n{self.log.read_text()}")
        return self.server.is_ready()


# A wrapper, because wrappers come before every plain implementation: also before pytest-django's,
# which reads the settings.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    if _only_looks(early_config):
        for name, value in _NOWHERE.items():
            os.environ.setdefault(name, value)
    else:
        atexit.register(_cleanup.close)
        try:
            _start_what_is_missing()
        except SkytrailError as error:
            raise pytest.UsageError(error.message) from error
        if worker := os.environ.get("PYTEST_XDIST_WORKER"):
            os.environ["REDIS_URL"] = _beside(os.environ["REDIS_URL"], int(worker[2:]) + 1)
    return (yield)


def _beside(redis_url: str, places: int) -> str:
    """The database of the same Redis so many places further on, of which it has 16."""
    address = urlsplit(redis_url)
    number = (int(address.path.strip("/") or 0) + places) % 16
    return address._replace(path=f"/{number}").geturl()


def pytest_unconfigure() -> None:
    _cleanup.close()


def _only_looks(config: pytest.Config) -> bool:
    """Whether this run will execute no test."""
    options = config.known_args_namespace
    looks = ("help", "version", "collectonly", "markers", "showfixtures", "show_fixtures_per_test")
    return any(getattr(options, name, False) for name in looks)


def _start_what_is_missing() -> None:
    missing = [name for name in _NOWHERE if not os.environ.get(name)]
    if not missing:
        return
    _sweep()
    # Short, and not below a folder of pytest's own: PostgreSQL may run as another user.
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    _cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
    home = Home(folder).create()
    _cleanup.enter_context(home.locked())
    ports = Ports()
    served = {}
    # Redis first: it gets ready while PostgreSQL makes its data.
    if "REDIS_URL" in missing:
        port = ports.choose(purpose="Redis", option="REDIS_URL")
        valkey = EmbeddedValkey(home, port=port, durable=False)
        served["REDIS_URL"] = Served(valkey, log=folder / "valkey.log")
    if "DATABASE_URL" in missing:
        port = ports.choose(purpose="PostgreSQL", option="DATABASE_URL")
        postgres = EmbeddedPostgres(home, port=port, fsync=False)
        _cleanup.callback(postgres.place.forget)
        served["DATABASE_URL"] = Served(postgres, log=folder / "postgres.log")
    for one in served.values():
        _cleanup.callback(one.start().stop)
    for name, one in served.items():
        os.environ[name] = one.wait_until_ready().server.url
        _cleanup.callback(os.environ.pop, name, None)


def _sweep() -> None:
    """Remove what runs that were killed have left in the temporary folder."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(SkytrailError, OSError):
            if time.time() - folder.stat().st_mtime < _OLD:
                continue
            with Home(folder).create().locked():
                shutil.rmtree(folder, ignore_errors=True)
