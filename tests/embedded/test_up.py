"""`skytrail up`: everything starts with one command, tells what one has to know, and stops."""

from __future__ import annotations

import re
import signal
import socket
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest

from skytrail.embedded.home import Home, running
from tests.embedded.terminal import command_lines, gone
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import psutil

    from tests.embedded.terminal import Terminal, Terminals

#: With these nothing is embedded. The stand-ins do not connect.
ELSEWHERE = {
    "DATABASE_URL": "postgresql://me:hush-hush@db.example:5432/mine",
    "REDIS_URL": "redis://:hush-too@redis.example:6379/0",
}


def up(
    terminals: Terminals, data_dir: Path, *settings: str, env: Mapping[str, str] | None = None
) -> Terminal:
    return terminals.run("up.py", str(data_dir), *settings, env=env)


def descendant(terminal: Terminal, text: str) -> psutil.Process:
    """The one process of this terminal with `text` in its command line."""
    [found] = [one for one in terminal.family()[1:] if text in " ".join(one.cmdline())]
    return found


@pytest.fixture(scope="module")
def used_folder(shared_folder: Path) -> Path:
    """A data directory for the tests with real servers, so that its database is made once."""
    return shared_folder / ".skytrail"


def test_everything_starts_answers_and_stops(terminals: Terminals, used_folder: Path) -> None:
    terminal = up(terminals, used_folder)
    text = terminal.wait_for("Ctrl-C stops everything")
    assert text.index("migrating") < text.index("started with web")
    for name in ("dispatcher", "worker --concurrency 2 --queues default,heavy", "beat", "flower"):
        terminal.wait_for(f"started with {name}")

    state = running(used_folder)
    assert state
    assert state.ready
    assert state.pid == terminal.pid
    assert state.url in text
    assert httpx.get(f"{state.url}/health", trust_env=False).status_code == 200
    with psycopg.connect(state.database_url) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("skytrail",)

    home = Home(used_folder)
    names = ("postgres-password", "redis-password", "secret-key", "flower-password")
    seen = terminal.text + command_lines()
    assert not [name for name in names if home.secret(name) in seen]

    web = descendant(terminal, "standin_cli.py web").environ()
    assert web["SKYTRAIL_FLOWER_URL"] == f"http://127.0.0.1:{state.ports['Flower']}"
    assert web["FLOWER_BASIC_AUTH"] == f"skytrail:{home.secret('flower-password')}"

    family = terminal.family()
    assert terminal.stopped() == 0
    assert gone(family)
    assert running(used_folder) is None
    assert not (used_folder / "state.json").exists()
    stopped = re.findall(r"\| (\w+) stopped", terminal.text)
    assert set(stopped[:5]) == {"web", "dispatcher", "worker", "beat", "flower"}
    assert set(stopped[5:]) == {"redis", "postgres"}


def test_the_next_start_finds_the_data_also_after_kill_9(
    terminals: Terminals, used_folder: Path
) -> None:
    terminal = up(terminals, used_folder)
    terminal.wait_for("Ctrl-C stops everything")
    state = running(used_folder)
    assert state
    with psycopg.connect(state.database_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS x")
    family = terminal.family()
    assert len(family) >= 8
    terminal.process.kill()
    terminal.ended()
    wait_until(lambda: gone(family), what="kill -9 leaves no process")
    assert running(used_folder) is None

    terminal = up(terminals, used_folder)
    assert "password" not in terminal.wait_for("Ctrl-C stops everything")
    state = running(used_folder)
    assert state
    with psycopg.connect(state.database_url) as connection:
        assert connection.execute("SELECT x FROM kept").fetchone() == (1,)
    assert terminal.stopped() == 0


def test_a_server_that_is_killed_comes_back_on_its_port_with_its_data(
    terminals: Terminals, used_folder: Path
) -> None:
    terminal = up(terminals, used_folder)
    terminal.wait_for("Ctrl-C stops everything")
    state = running(used_folder)
    assert state
    with psycopg.connect(state.database_url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS survivor AS SELECT 1 AS x")
        connection.commit()
        descendant(terminal, "-D").kill()
        terminal.wait_for("postgres ended (killed by SIGKILL); again in 0.5 s")
    descendant(terminal, "valkey.conf").kill()
    terminal.wait_for("redis ended (killed by SIGKILL)")

    def is_back() -> bool:
        try:
            with psycopg.connect(state.database_url, connect_timeout=1) as connection:
                return connection.execute("SELECT x FROM survivor").fetchone() == (1,)
        except psycopg.OperationalError:
            return False

    wait_until(is_back)
    assert terminal.stopped() == 0


def test_the_password_of_the_first_user_is_shown_once(terminals: Terminals, folder: Path) -> None:
    first = up(terminals, folder / "data", env=ELSEWHERE)
    text = first.wait_for("Ctrl-C stops everything")
    password = (folder / "data" / "admin").read_text()
    assert f"as admin, password {password}" in text
    assert first.stopped() == 0
    assert first.text.count(password) == 1

    second = up(terminals, folder / "data", env=ELSEWHERE)
    assert "as admin\n" in second.wait_for("Ctrl-C stops everything")
    assert second.stopped() == 0


def test_a_password_that_was_given_is_used_and_not_shown(
    terminals: Terminals, folder: Path
) -> None:
    env = {**ELSEWHERE, "SKYTRAIL_ADMIN_PASSWORD": "chosen-by-me"}
    terminal = up(terminals, folder / "data", env=env)
    terminal.wait_for("Ctrl-C stops everything")
    assert (folder / "data" / "admin").read_text() == "chosen-by-me"
    web = descendant(terminal, "standin_cli.py web")
    assert "SKYTRAIL_ADMIN_PASSWORD" not in web.environ()
    assert terminal.stopped() == 0
    assert "chosen-by-me" not in terminal.text


def test_a_start_cut_short_still_shows_the_password(terminals: Terminals, folder: Path) -> None:
    terminal = up(terminals, folder / "data", env={**ELSEWHERE, "STANDIN_WEB": "mute"})
    terminal.wait_for("started with web")
    assert terminal.stopped() == 0
    assert (folder / "data" / "admin").read_text() in terminal.text


def test_servers_named_by_the_environment_are_used(terminals: Terminals, folder: Path) -> None:
    terminal = up(terminals, folder / "data", "no-flower=1", env=ELSEWHERE)
    terminal.wait_for("Ctrl-C stops everything")
    web = descendant(terminal, "standin_cli.py web").environ()
    assert {name: web[name] for name in ELSEWHERE} == ELSEWHERE
    assert web["DJANGO_SETTINGS_MODULE"] == "skytrail.settings"
    assert web["SKYTRAIL_DATA_DIR"] == str(folder / "data")
    assert web["SKYTRAIL_SECRET_KEY"] == Home(folder / "data").secret("secret-key")
    assert running(folder / "data")
    terminal.press(signal.SIGTERM)
    assert terminal.ended() == 0
    assert not (folder / "data" / "state.json").exists()
    assert "hush" not in terminal.text
    assert "flower" not in terminal.text
    assert not (folder / "data" / "pgdata").exists()


def test_a_folder_of_dags_is_watched_and_workers_know_of_it(
    terminals: Terminals, folder: Path
) -> None:
    env = {**ELSEWHERE, "SKYTRAIL_DAGS_DIR": str(folder / "dags")}
    terminal = up(terminals, folder / "data", "no-flower=1", env=env)
    text = terminal.wait_for("Ctrl-C stops everything")
    assert f"DAGs from        {folder / 'dags'}\n" in text
    terminal.wait_for(f"started with sync {folder / 'dags'} --watch")
    worker = descendant(terminal, "standin_cli.py worker").environ()
    assert worker["SKYTRAIL_DAGS_DIR"] == str(folder / "dags")
    assert terminal.stopped() == 0


def test_a_second_one_in_the_same_folder_is_refused(terminals: Terminals, folder: Path) -> None:
    first = up(terminals, folder / "data", env=ELSEWHERE)
    first.wait_for("Ctrl-C stops everything")
    second = up(terminals, folder / "data", env=ELSEWHERE)
    assert second.ended() == 1
    assert f"error: Skytrail already runs in {folder / 'data'} (pid {first.pid})" in second.text
    assert "--data-dir" in second.text
    assert running(folder / "data")
    assert first.stopped() == 0


def test_a_busy_port_is_named(terminals: Terminals, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        web = up(terminals, folder / "data", f"port={port}", env=ELSEWHERE)
        assert web.ended() == 1
        assert f"error: Port {port} for web cannot be used" in web.text
        assert "--port" in web.text
        postgres = up(terminals, folder / "data", f"postgres_port={port}")
        assert postgres.ended() == 1
        assert f"error: Port {port} for PostgreSQL cannot be used" in postgres.text
        assert "--postgres-port" in postgres.text


def test_migrations_that_fail_end_the_start(terminals: Terminals, folder: Path) -> None:
    env = {**ELSEWHERE, "STANDIN_MIGRATE": "broken"}
    terminal = up(terminals, folder / "data", env=env)
    assert terminal.ended() == 1
    assert "migrate    | no such column" in terminal.text
    assert "migrate --noinput -v0` ended with exit code 3" in terminal.text
    assert "started with" not in terminal.text
    assert running(folder / "data") is None
