"""Where an embedded PostgreSQL lives: its programs and its data.

Normally the programs stay where they are installed and the data is in the data directory. Under
root, PostgreSQL runs as another user, and a folder above (/root, as a rule) may be closed to that
user. Opening other people's folders is no way out, so what cannot be reached moves: the programs
are copied, and the data is made, under /var/lib/skytrail.
"""

from __future__ import annotations

import importlib.metadata
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from skytrail.embedded.postgres_binaries import Binaries, wheel_folder
from skytrail.errors import Conflict, Unavailable

if TYPE_CHECKING:
    from skytrail.embedded.account import Account
    from skytrail.embedded.home import Home

#: For the parts that the unprivileged user cannot reach where they belong.
SHARED_FOLDER = Path("/var/lib/skytrail")

_DATA = "pgdata"
#: In the data directory: the key under which the data is kept elsewhere.
_KEY = "pgdata.elsewhere"
#: Beside data kept elsewhere: the data directory that it belongs to.
_OWNER = "belongs-to"


class PostgresOutOfReach(Unavailable):
    """PostgreSQL would run as {user}, because it refuses to be root, and that user may not enter
    {folder}. Run Skytrail as an ordinary user, make the folder passable, or set DATABASE_URL.
    """


class DataDirectoryCopied(Conflict):
    """{folder} is a copy of {original}, whose database is kept at {pgdata} and would be shared.
    Remove {key_file} to begin with an empty database here, or remove the original.
    """


@dataclass(frozen=True, kw_only=True)
class Place:
    """The programs to use, the folder of the data, and whom the server runs as (None: as us)."""

    binaries: Binaries
    pgdata: Path
    account: Account | None

    def forget(self) -> None:
        """Delete the data, wherever it is."""
        shutil.rmtree(self.pgdata, ignore_errors=True)
        if (self.pgdata.parent / _OWNER).exists():
            shutil.rmtree(self.pgdata.parent, ignore_errors=True)


def settle(
    home: Home, *, binaries: Binaries, account: Account | None, shared: Path = SHARED_FOLDER
) -> Place:
    """Find the place, or make it. Call it while holding the home's lock.

    Raises PostgresOutOfReach, DataDirectoryCopied.
    """
    if account is None:
        return Place(binaries=binaries, pgdata=home.path / _DATA, account=None)
    return Place(
        binaries=_reachable_programs(binaries, account=account, shared=shared),
        pgdata=_reachable_data(home, account=account, shared=shared),
        account=account,
    )


def _reachable_programs(binaries: Binaries, *, account: Account, shared: Path) -> Binaries:
    if account.reaches(binaries.postgres) and account.reaches(binaries.initdb):
        return binaries
    package = wheel_folder(binaries)
    if package is None:  # a system's installation is spread over several folders: not ours to copy
        raise PostgresOutOfReach(user=account.name, folder=binaries.folder)
    copied = Binaries(_copy_of(package, binaries, shared=shared))
    if not account.reaches(copied.postgres):
        raise PostgresOutOfReach(user=account.name, folder=copied.folder)
    return copied


def _copy_of(package: Path, binaries: Binaries, *, shared: Path) -> Path:
    """The `bin` folder of a copy of the wheel's programs, made once for each of its versions."""
    version = importlib.metadata.version(package.name)
    installation = binaries.folder.parent
    copy = shared / f"{package.name}-{version}"
    folder = copy / package.name / installation.name
    if not copy.exists():
        _make_public(shared)
        unfinished = Path(tempfile.mkdtemp(dir=shared, prefix=f"{copy.name}."))
        shutil.copytree(
            installation,
            unfinished / package.name / installation.name,
            ignore=shutil.ignore_patterns("include"),
        )
        # Libraries that the wheel's builder put beside the package; the programs look for them at
        # a path relative to their own.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, unfinished / libraries.name)
        for path in (unfinished, *unfinished.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        try:
            unfinished.rename(copy)
        except OSError:  # another start was faster; its copy is as good
            shutil.rmtree(unfinished)
    return folder / "bin"


def _reachable_data(home: Home, *, account: Account, shared: Path) -> Path:
    key_file = home.path / _KEY
    if key_file.exists():
        return _kept_elsewhere(home, key_file=key_file, shared=shared)
    home.open_to_group(account.gid)
    if account.reaches(home.path):
        return home.path / _DATA
    if (home.path / _DATA).exists():  # made when the way was open: do not begin a second database
        raise PostgresOutOfReach(user=account.name, folder=home.path)
    key_file.write_text(secrets.token_hex(8))
    pgdata = _kept_elsewhere(home, key_file=key_file, shared=shared)
    if not account.reaches(pgdata.parent):
        raise PostgresOutOfReach(user=account.name, folder=pgdata.parent)
    return pgdata


def _kept_elsewhere(home: Home, *, key_file: Path, shared: Path) -> Path:
    """The data's folder outside of the data directory, which belongs to one data directory only.

    The key is random, not made from the path: so a data directory may be moved and still finds its
    data, and one that is deleted and made again begins anew.
    """
    key = key_file.read_text().strip()
    folder = shared / key
    owner_file = folder / _OWNER
    if owner_file.exists():
        original = Path(owner_file.read_text())
        original_key = original / _KEY
        if original != home.path and original_key.exists() and original_key.read_text() == key:
            raise DataDirectoryCopied(
                folder=home.path, original=original, pgdata=folder / _DATA, key_file=key_file
            )
    _make_public(shared)
    folder.mkdir(exist_ok=True)
    folder.chmod(0o711)
    owner_file.write_text(str(home.path))
    return folder / _DATA


def _make_public(shared: Path) -> None:
    """Anybody may pass through; only root may add."""
    shared.mkdir(parents=True, exist_ok=True)
    shared.chmod(0o755)
