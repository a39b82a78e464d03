from __future__ import annotations

import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from skytrail.embedded.home import Home
from tests.embedded.terminal import Terminals

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def shared_folder() -> Iterator[Path]:
    """A short, passable folder for one module: servers that drop root's rights get there."""
    with _passable_folder() as folder:
        yield folder


@pytest.fixture
def folder() -> Iterator[Path]:
    """The same for one test."""
    with _passable_folder() as folder:
        yield folder


@pytest.fixture
def home(folder: Path) -> Home:
    return Home(folder / ".skytrail").create()


@pytest.fixture
def environ() -> dict[str, str]:
    """The environment of somebody who has set nothing up yet."""
    # The last one, where it is set, makes every program that is started compile Skytrail anew.
    unset = {"DATABASE_URL", "REDIS_URL", "NO_COLOR", "FORCE_COLOR", "PYTHONDONTWRITEBYTECODE"}
    return {
        name: value
        for name, value in os.environ.items()
        if name not in unset and not name.startswith("SKYTRAIL_")
    }


@pytest.fixture
def terminals(folder: Path, environ: dict[str, str]) -> Iterator[Terminals]:
    with Terminals(folder, environ) as terminals:
        yield terminals


class _passable_folder:  # noqa: N801 - used like a function
    def __enter__(self) -> Path:
        self._path = Path(tempfile.mkdtemp(prefix="sky-"))
        self._path.chmod(0o711)
        return self._path

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._path, ignore_errors=True)


@pytest.fixture(autouse=True)
def _hangups_are_heard() -> Iterator[None]:
    """Also where the tests were started with nohup: what they start would inherit its deafness."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)
