"""The plugin that gives the tests their servers: quick, out of the way, and gone afterwards."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.embedded.terminal import Terminal, gone
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REPOSITORY = Path(__file__).parents[2]

USES_BOTH = """
import os, psycopg, redis
def test_both():
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        assert client.ping()
"""
SHOWS_BOTH = """
import os
print("database", os.environ["DATABASE_URL"])
print("redis", os.environ["REDIS_URL"])
def test_nothing(): pass
"""
WAITS = """
import signal
def test_wait(capfd):
    with capfd.disabled(): print("waiting", flush=True)
    signal.pause()
"""


@pytest.fixture
def run_pytest(folder: Path, environ: dict[str, str]) -> Iterator[Callable[..., Terminal]]:
    """Run pytest over one file, in a folder of its own, with the plugin."""
    started: list[Terminal] = []

    def run(source: str, *arguments: str, **env: str) -> Terminal:
        (folder / "test_it.py").write_text(source)
        argv = [sys.executable, "-m", "pytest", "-c", "/dev/null", "-p", "tests.servers"]
        argv += ["-p", "no:cacheprovider", "test_it.py", *arguments]
        inherited = {
            name: value for name, value in environ.items() if not name.startswith("PYTEST")
        }
        inherited |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(REPOSITORY)}
        env = {**inherited, "TMPDIR": str(folder), **env}
        terminal = Terminal(argv, log=folder / "pytest.log", env=env, cwd=folder)
        started.append(terminal)
        return terminal

    yield run
    for terminal in started:
        terminal.process.kill()
        terminal.process.wait()


def left_behind(folder: Path) -> list[Path]:
    return list(folder.glob("sky-tests-*"))


def test_the_workers_of_xdist_share_both_servers_and_nothing_is_left(
    run_pytest: Callable[..., Terminal], folder: Path
) -> None:
    terminal = run_pytest(USES_BOTH, "-p", "xdist", "-n1")
    assert terminal.ended() == 0, terminal.text
    assert left_behind(folder) == []


def test_a_server_that_is_named_is_used(run_pytest: Callable[..., Terminal]) -> None:
    terminal = run_pytest(SHOWS_BOTH, "-s", DATABASE_URL="postgresql://elsewhere/db")
    assert terminal.ended() == 0, terminal.text
    assert "database postgresql://elsewhere/db\n" in terminal.text
    assert "redis redis://:" in terminal.text


def test_a_run_that_only_looks_starts_nothing(run_pytest: Callable[..., Terminal]) -> None:
    terminal = run_pytest(SHOWS_BOTH, "--collect-only", "-s")
    assert terminal.ended() == 0, terminal.text
    assert "@127.0.0.1:1/none" in terminal.text


def test_killed_tests_leave_no_server(run_pytest: Callable[..., Terminal]) -> None:
    terminal = run_pytest(WAITS)
    terminal.wait_for("waiting")
    family = terminal.family()
    assert len(family) > 2
    terminal.process.kill()
    terminal.ended()
    wait_until(lambda: gone(family), what="the servers are gone")
