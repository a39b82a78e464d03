"""Where the demo plays: `skytrail up` in a temporary folder, which both go when it is over."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from skytrail.cli.demo.pipelines import SETTINGS
from skytrail.cli.demo.rest import Rest
from skytrail.cli.demo.signals import Signals
from skytrail.embedded.command import Command
from skytrail.embedded.home import Home, State, running
from skytrail.embedded.postgres import EmbeddedPostgres
from skytrail.embedded.postgres_binaries import VARIABLE as POSTGRES_PROGRAMS
from skytrail.embedded.stack import ADMIN_PASSWORD_VARIABLE
from skytrail.errors import SkytrailError, Unavailable

_LOOK_EVERY = 0.05

#: How much of the log is shown when something went wrong.
_LAST_LINES = 12


class StartFailed(Unavailable):
    """Skytrail did not start ({ending}). Its last lines: {lines}"""


class Broken(Unavailable):
    """Skytrail did not stay up. Its last lines: {lines}"""


class Stage:
    """A `skytrail up` of the demo's own. `url` and `rest` are there when it is up."""

    url: str
    rest: Rest

    def __init__(self, folder: Path, *, password: str) -> None:
        self.folder = folder
        self.password = password
        self.log = folder / "up.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, project: Path, port: int, environment: Mapping[str, str]) -> None:
        """Starts it, in the repository, so that workers find the examples."""
        arguments = ("--data-dir", str(self.folder), "--port", str(port), "--no-flower")
        command = Command(
            argv=(sys.executable, "-m", "skytrail.cli", "up", *arguments),
            env={**environment, ADMIN_PASSWORD_VARIABLE: self.password},
            cwd=project,
            stop_signal=signal.SIGINT,
            # Should the demo be killed, its servers are stopped in order and not where they stand.
            death_signal=signal.SIGTERM,
        )
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command.argv, stdout=log, stderr=log, **command.popen_options()
            )

    def wait_until_up(self) -> None:
        """Returns when the web answers and a worker has reported itself. Raises StartFailed."""
        while not (state := self._state()) or not state.ready:
            time.sleep(_LOOK_EVERY)
        self.url = state.url
        self.rest = Rest.sign_in(self.url, self.password)
        while not self.rest.has_worker():
            self._state()
            time.sleep(_LOOK_EVERY)

    def broken(self) -> Broken:
        """The error for an installation that no longer answers."""
        return Broken(lines=self._last_lines())

    def stop(self) -> None:
        """Stops all of it, in order."""
        if self._process is not None:
            self.interrupt()
            self._process.wait()

    def interrupt(self) -> None:
        """Ctrl-C, as it were; the second time it is killed at once."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)

    def remove(self) -> None:
        """Removes the folder, and the database where that had to be kept elsewhere."""
        with contextlib.suppress(SkytrailError, OSError):
            EmbeddedPostgres(Home(self.folder).create(), port=0).place.forget()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _state(self) -> State | None:
        assert self._process is not None
        if (code := self._process.poll()) is not None:
            raise StartFailed(ending=f"exit code {code}", lines=self._last_lines())
        return running(self.folder)

    def _last_lines(self) -> str:
        lines = self.log.read_text("utf-8", "replace").strip().splitlines()
        return " / ".join(lines[-_LAST_LINES:])


@contextlib.contextmanager
def staged(signals: Signals, *, project: Path, port: int) -> Iterator[Stage]:
    """Within, it starts or is up; afterwards it is stopped and gone, whatever happened.

    The environment of this process is changed too, so that what connects from here connects there.
    """
    stage = Stage(
        Path(tempfile.mkdtemp(prefix="skytrail-demo-")), password=secrets.token_urlsafe(9)
    )
    try:
        environment = _environment(os.environ, project=project)
        os.environ.clear()
        os.environ.update(environment, SKYTRAIL_DATA_DIR=str(stage.folder))
        stage.start(project=project, port=port, environment=environment)
        yield stage
    finally:
        signals.from_now_on(stage.interrupt)
        stage.stop()
        stage.remove()


def _environment(environ: Mapping[str, str], *, project: Path) -> dict[str, str]:
    """The user's environment without anything that leads to an installation of theirs."""
    theirs = {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "FLOWER_BASIC_AUTH"}
    kept = {
        name: value
        for name, value in environ.items()
        if name not in theirs and (name == POSTGRES_PROGRAMS or not name.startswith("SKYTRAIL_"))
    }
    path = os.pathsep.join([str(project), *filter(None, [environ.get("PYTHONPATH")])])
    return {
        **kept,
        **SETTINGS,
        "DJANGO_SETTINGS_MODULE": "skytrail.settings",
        "PYTHONPATH": path,
        "NO_COLOR": "1",
    }
