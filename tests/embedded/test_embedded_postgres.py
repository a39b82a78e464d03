"""The embedded PostgreSQL keeps its data and its password, whatever happened before."""

from __future__ import annotations

import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from skytrail.embedded.home import Home
from skytrail.embedded.ports import Ports
from skytrail.embedded.postgres import (
    EmbeddedPostgres,
    PostgresFolderTaken,
    PostgresOfAnotherVersion,
    PostgresPasswordRefused,
)
from skytrail.embedded.postgres_binaries import PostgresFolderWrong, PostgresNotFound, find_binaries
from tests.embedded.terminal import alive, command_lines
from tests.servers import Served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def postgres_in(home: Home, environ: dict[str, str] | None = None) -> EmbeddedPostgres:
    port = Ports().choose(purpose="PostgreSQL", option="--postgres-port")
    return EmbeddedPostgres(
        home, port=port, fsync=False, shared_buffers="16MB", environ=environ or {}
    )


def serve(postgres: EmbeddedPostgres) -> Served:
    return Served(postgres, log=postgres.home.path / "postgres.log")


def ask(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


@dataclass(frozen=True)
class FirstStart:
    """A home whose PostgreSQL has run once, and what could be seen of that run from outside.

    It holds the table `kept` with one row. An attempt before it had been cut short.
    """

    home: Home
    half_made: Path
    command_lines: str


@pytest.fixture(scope="module")
def first_start(shared_folder: Path) -> FirstStart:
    home = Home(shared_folder / ".skytrail").create()
    half_made = home.folder("pgdata.new-cut-short")
    (half_made / "PG_VERSION").touch()
    with _watching(command_lines) as seen, serve(postgres_in(home)) as served:
        ask(served.server.url, "CREATE TABLE kept AS SELECT 1 AS x")
    return FirstStart(home, half_made, "".join(seen))


@pytest.fixture
def used_home(first_start: FirstStart) -> Home:
    return first_start.home


@pytest.fixture
def postgres(used_home: Home) -> EmbeddedPostgres:
    return postgres_in(used_home)


def test_a_second_start_finds_what_the_first_one_wrote(postgres: EmbeddedPostgres) -> None:
    with serve(postgres) as served:
        assert ask(served.server.url, "SELECT x FROM kept") == [(1,)]


def test_after_kill_9_it_starts_again_with_all_that_was_committed(
    postgres: EmbeddedPostgres,
) -> None:
    served = serve(postgres).start().wait_until_ready()
    ask(postgres.url, "CREATE TABLE late AS SELECT 2 AS x")
    served.kill()
    assert (postgres.pgdata / "postmaster.pid").exists()
    with serve(postgres):
        assert ask(postgres.url, "SELECT x FROM late") == [(2,)]
        ask(postgres.url, "DROP TABLE late")


def test_the_pid_of_a_foreign_process_in_its_pid_file_is_not_believed(
    postgres: EmbeddedPostgres,
) -> None:
    account = postgres.place.account
    # Of the same user: PostgreSQL itself would take this one for its server, and refuse to start.
    foreigner = subprocess.Popen(
        ["sleep", "600"], cwd="/", **(account.popen_options() if account else {})
    )
    try:
        pid_file = postgres.pgdata / "postmaster.pid"
        pid_file.write_text(f"{foreigner.pid}\n{postgres.pgdata}\n1\n1\n\n127.0.0.1\n1 1\nready\n")
        with serve(postgres) as served:
            assert ask(served.server.url, "SELECT x FROM kept") == [(1,)]
        assert foreigner.poll() is None
    finally:
        foreigner.kill()
        foreigner.wait()


def test_a_server_that_an_earlier_start_left_behind_is_ended_first(
    postgres: EmbeddedPostgres,
) -> None:
    forgotten = serve(postgres).start().wait_until_ready()
    assert forgotten.process
    pid = forgotten.process.pid
    with serve(postgres_in(postgres.home)) as served:
        assert not alive(pid)
        assert ask(served.server.url, "SELECT x FROM kept") == [(1,)]
    forgotten.stop()


def test_the_password_is_in_no_command_line_and_in_no_other_file(first_start: FirstStart) -> None:
    home = first_start.home
    password = home.secret("postgres-password")
    assert f"--pgdata={home.path}" in first_start.command_lines
    assert f"-D {home.path}" in first_start.command_lines
    assert password not in first_start.command_lines
    holders = [path for path in home.path.rglob("*") if path.is_file() and _holds(path, password)]
    assert holders == [home.path / "secrets" / "postgres-password"]


def test_without_the_password_nobody_gets_in(postgres: EmbeddedPostgres) -> None:
    with serve(postgres) as served:
        url = served.server.url.replace(postgres.home.secret("postgres-password"), "guess")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            ask(url, "SELECT 1")


def test_a_password_file_that_does_not_belong_is_named(postgres: EmbeddedPostgres) -> None:
    file = postgres.home.path / "secrets" / "postgres-password"
    password = file.read_text()
    with serve(postgres):
        file.write_text("another")
        try:
            with pytest.raises(PostgresPasswordRefused, match=str(file)):
                postgres.is_ready()
        finally:
            file.write_text(password)


def test_data_of_another_version_is_refused_with_both_versions(home: Home) -> None:
    data = home.folder("pgdata")
    (data / "PG_VERSION").write_text("12\n")
    with pytest.raises(PostgresOfAnotherVersion) as refused:
        postgres_in(home).prepare()
    assert "made by PostgreSQL 12" in refused.value.message
    assert "is version 18" in refused.value.message
    assert str(data) in refused.value.message


def test_a_first_start_cut_short_leaves_nothing_half_made(first_start: FirstStart) -> None:
    assert not first_start.half_made.exists()


def test_a_folder_with_something_else_in_it_is_left_alone(home: Home) -> None:
    foreign = home.folder("pgdata") / "thesis.txt"
    foreign.touch()
    with pytest.raises(PostgresFolderTaken, match=str(foreign.parent)):
        postgres_in(home).prepare()
    assert foreign.exists()


def test_it_knows_the_case_of_all_letters(postgres: EmbeddedPostgres) -> None:
    with serve(postgres) as served:
        assert ask(served.server.url, "SELECT lower('ÉÄЖ'), 'É' ILIKE 'é'") == [("éäж", True)]


def test_variables_meant_for_other_servers_do_not_disturb_it(used_home: Home) -> None:
    environ = {"PGDATA": "/nowhere", "PGPORT": "1", "LC_ALL": "xx_XX"}
    with serve(postgres_in(used_home, environ)) as served:
        assert ask(served.server.url, "SELECT x FROM kept") == [(1,)]


def test_a_wrong_folder_of_programs_is_named(folder: Path) -> None:
    with pytest.raises(PostgresFolderWrong, match=f"{folder}"):
        find_binaries({"SKYTRAIL_PG_BIN": str(folder)})


def test_without_any_postgresql_the_ways_out_are_named() -> None:
    assert "DATABASE_URL" in PostgresNotFound().message
    assert "SKYTRAIL_PG_BIN" in PostgresNotFound().message


_system = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


@pytest.mark.skipif(not _system, reason="no PostgreSQL is installed on this system")
def test_the_systems_postgresql_serves_as_well(home: Home) -> None:
    environ = {"SKYTRAIL_PG_BIN": str(_system[-1].parent)}
    with serve(postgres_in(home, environ)) as served:
        [(version,)] = ask(served.server.url, "SHOW server_version")
    assert str(version).split(".")[0] == (home.path / "pgdata" / "PG_VERSION").read_text().strip()


class _watching:  # noqa: N801 - used like a function
    """Looks again and again, from a thread, and collects what it saw."""

    def __init__(self, look: Callable[[], str]) -> None:
        self._look = look
        self._seen: list[str] = []
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> list[str]:
        self._thread.start()
        return self._seen

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._enough.wait(0.02):
            self._seen.append(self._look())


def _holds(path: Path, text: str) -> bool:
    return text.encode() in path.read_bytes()


@pytest.fixture(autouse=True)
def _no_server_is_left(used_home: Home) -> Iterator[None]:
    yield
    assert str(used_home.path) not in command_lines()
