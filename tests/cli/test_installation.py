"""Which installation a command speaks to, and what it says when there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import OperationalError, connection

from skytrail import __version__
from skytrail.cli import project
from tests.cli.conftest import CommandLine

pytestmark = pytest.mark.django_db


def test_the_version(command: CommandLine) -> None:
    assert command("version").out == f"Skytrail {__version__}\n"
    assert command("version", "-o", "json").json == {"version": __version__}


def test_the_database_is_up_to_date(command: CommandLine) -> None:
    said = command("db", "check", "-o", "json").json
    assert (said["up_to_date"], said["pending"]) == (True, [])


def test_where_nothing_runs_the_way_to_start_it_is_said(
    command: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("SKYTRAIL_DATA_DIR", str(tmp_path / "nothing"))
    said = command("dags", "list", expect=6)
    assert "skytrail up" in said.err
    assert str(tmp_path / "nothing") in said.err


def test_a_database_that_is_away(command: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("connection refused\nIs the server running?")

    with monkeypatch.context() as patched:
        patched.setattr(connection, "ensure_connection", away)
        assert "connection refused" in command("runs", "list", expect=6).err


def test_a_database_that_goes_away_meanwhile(
    command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def goes() -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(project, "Operator", goes)
    said = command("runs", "list", "-o", "json", expect=6)
    assert said.error["code"] == "database_away"


@pytest.mark.parametrize("words", [(), ("dags",), ("runs",), ("--help",), ("up", "--help")])
def test_help(command: CommandLine, words: tuple[str, ...]) -> None:
    expect = 0 if "--help" in words else 2
    said = command(*words, expect=expect)
    assert "Usage" in said.out + said.err
