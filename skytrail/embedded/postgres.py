"""PostgreSQL as a child process: only its programs come from elsewhere, the rest is done here.

The packages that carry the programs also bring a Python layer; it opens parent folders to everybody
when run as root, takes any process with a recycled pid for its server and forgets servers whose
starter crashed. Hence our own `initdb`, our own command line, and the supervisor's care.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from skytrail.embedded.account import unprivileged_account
from skytrail.embedded.command import Command
from skytrail.embedded.leftovers import clear_leftover
from skytrail.embedded.ports import LOOPBACK
from skytrail.embedded.postgres_binaries import find_binaries
from skytrail.embedded.postgres_place import SHARED_FOLDER, Place, settle
from skytrail.errors import Conflict, Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from skytrail.embedded.home import Home

USER = "skytrail"
DATABASE = "skytrail"
PASSWORD = "postgres-password"  # noqa: S105 - the name of the secret

#: From this version on PostgreSQL brings a Unicode locale of its own, the same on every system.
_BUILTIN_LOCALE = 17
#: Line of postmaster.pid that says how far the start has come.
_STATUS_LINE = 7


class PostgresOfAnotherVersion(Conflict):
    """The data in {pgdata} was made by PostgreSQL {data_version}, and {program} is version
    {version}. Name the programs of a PostgreSQL {data_version} in SKYTRAIL_PG_BIN; or, to begin
    with an empty database, start in another folder with --data-dir.
    """


class PostgresInitFailed(Unavailable):
    """PostgreSQL could not make its data in {pgdata}: {reason}"""


class PostgresFolderTaken(Conflict):
    """{pgdata} holds something that is no PostgreSQL data. Move it away, or start in another folder
    with --data-dir.
    """


class PostgresPasswordRefused(Conflict):
    """The database in {pgdata} does not accept the password in {secret}. Put back the file that
    belongs to it; or, to begin with an empty database, start in another folder with --data-dir.
    """


class EmbeddedPostgres:
    """A PostgreSQL on a loopback port, with its data in a home.

    `prepare` before every start; `command` is what to start; `is_ready` answers for it; `url` is
    how to connect. Build and use it while holding the home's lock.

    `fsync=False` is for tests: faster, and the data does not survive a power cut.
    """

    def __init__(
        self,
        home: Home,
        *,
        port: int,
        fsync: bool = True,
        max_connections: int = 200,
        shared_buffers: str = "128MB",
        environ: Mapping[str, str] = os.environ,
        shared_folder: Path = SHARED_FOLDER,
    ) -> None:
        self.home = home
        self.port = port
        self.fsync = fsync
        self.max_connections = max_connections
        self.shared_buffers = shared_buffers
        self._environ = environ
        self._shared_folder = shared_folder

    @cached_property
    def place(self) -> Place:
        """Programs, data and user. Raises what looking for them raises."""
        return settle(
            self.home,
            binaries=find_binaries(self._environ),
            account=unprivileged_account(),
            shared=self._shared_folder,
        )

    @property
    def pgdata(self) -> Path:
        return self.place.pgdata

    @property
    def url(self) -> str:
        """For DATABASE_URL. It holds the password."""
        return f"postgresql://{USER}:{self._password}@{LOOPBACK}:{self.port}/{DATABASE}"

    @property
    def command(self) -> Command:
        settings = {
            "listen_addresses": LOOPBACK,
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": self.max_connections,
            "shared_buffers": self.shared_buffers,
            "timezone": "UTC",
            "logging_collector": "off",
            # The console has its own time stamps. Errors are the clients' to report: to answer a
            # statement with one is everyday work, and its text may hold what nobody else may read.
            "log_line_prefix": "",
            "log_min_messages": "fatal",
            "log_min_error_statement": "panic",
            **({} if self.fsync else _CARELESS),
        }
        return Command(
            argv=(
                str(self.place.binaries.postgres),
                "-D",
                str(self.pgdata),
                *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
            ),
            env=self._server_environ,
            cwd=self.pgdata,
            account=self.place.account,
            stop_signal=signal.SIGINT,  # "fast": ends the sessions, writes a checkpoint
            death_signal=signal.SIGINT,
        )

    def prepare(self) -> None:
        """Make the data if there is none; else see to it that the server can start on it.

        Raises PostgresInitFailed, PostgresFolderTaken, PostgresOfAnotherVersion,
        LeftoverWillNotStop.
        """
        version_file = self.pgdata / "PG_VERSION"
        if not version_file.exists():
            if self.pgdata.exists() and any(self.pgdata.iterdir()):
                raise PostgresFolderTaken(pgdata=self.pgdata)
            self._initdb()
            return
        data_version = version_file.read_text().strip()
        binaries = self.place.binaries
        if data_version != str(binaries.major):
            raise PostgresOfAnotherVersion(
                pgdata=self.pgdata,
                data_version=data_version,
                program=binaries.postgres,
                version=binaries.major,
            )
        clear_leftover(
            pid_file=self.pgdata / "postmaster.pid",
            folder=self.pgdata,
            stop_signal=signal.SIGINT,
        )

    def is_ready(self) -> bool:
        """Whether it takes connections. The first that gets through makes the database.

        Raises PostgresPasswordRefused.
        """
        # Asked of the file first, as pg_ctl does: who connects too early writes "FATAL" into the
        # log of a start that goes well.
        if not self._says_ready():
            return False
        try:
            with psycopg.connect(
                host=LOOPBACK,
                port=self.port,
                user=USER,
                password=self._password,
                dbname="postgres",
                sslmode="disable",
                connect_timeout=5,
                autocommit=True,
            ) as connection:
                if not connection.execute(
                    "SELECT FROM pg_database WHERE datname = %s", [DATABASE]
                ).rowcount:
                    connection.execute(f'CREATE DATABASE "{DATABASE}"')
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                secret = self.home.path / "secrets" / PASSWORD
                raise PostgresPasswordRefused(pgdata=self.pgdata, secret=secret) from error
            return False
        return True

    @property
    def _password(self) -> str:
        return self.home.secret(PASSWORD)

    @property
    def _server_environ(self) -> dict[str, str]:
        """Little: the variables that libpq and the server read are meant for other servers."""
        passed_on = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")
        kept = {name: self._environ[name] for name in passed_on if name in self._environ}
        return {**kept, "LC_ALL": "C"}

    def _says_ready(self) -> bool:
        try:
            lines = (self.pgdata / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > _STATUS_LINE and lines[_STATUS_LINE].strip() == "ready"

    def _initdb(self) -> None:
        """Make the data beside its final place, so that a start cut short leaves no half of it."""
        prefix = f"{self.pgdata.name}.new-"
        for unfinished in self.pgdata.parent.glob(f"{prefix}*"):
            shutil.rmtree(unfinished, ignore_errors=True)
        workshop = Path(tempfile.mkdtemp(dir=self.pgdata.parent, prefix=prefix))
        new = workshop / self.pgdata.name
        password_file = workshop / "password"  # `initdb` takes it from a file, or for all to see
        password_file.touch(mode=0o600)
        password_file.write_text(f"{self._password}\n")
        if self.place.account:
            for path in (workshop, password_file):
                self.place.account.takes(path)
        try:
            made = subprocess.run(
                [
                    self.place.binaries.initdb,
                    f"--pgdata={new}",
                    f"--username={USER}",
                    f"--pwfile={password_file}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--no-instructions",
                    *_locale(self.place.binaries.major),
                    *([] if self.fsync else ["--no-sync"]),
                ],
                check=False,
                capture_output=True,
                text=True,
                errors="replace",
                env=self._server_environ,
                cwd=workshop,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                **(self.place.account.popen_options() if self.place.account else {}),
            )
            if made.returncode != 0:
                reason = made.stderr.strip() or f"initdb ended with code {made.returncode}"
                raise PostgresInitFailed(pgdata=self.pgdata, reason=reason)
            # A folder that is there and empty, as a mounted volume would be, is fine too.
            new.rename(self.pgdata)
        except OSError as error:
            raise PostgresInitFailed(pgdata=self.pgdata, reason=error) from error
        finally:
            shutil.rmtree(workshop, ignore_errors=True)


#: Nothing waits for the disk. What is committed still survives a killed server: it has been handed
#: to the operating system, which `synchronous_commit` stays on for.
_CARELESS = {"fsync": "off", "full_page_writes": "off"}


def _locale(major: int) -> list[str]:
    """Sort by code point everywhere; know the case of all letters where PostgreSQL itself can."""
    if major >= _BUILTIN_LOCALE:
        return ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--no-locale"]
