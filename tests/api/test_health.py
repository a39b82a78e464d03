"""Health: the truth about the database and the broker, in time, to anybody."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from skytrail import health
from skytrail.embedded.home import Home
from skytrail.embedded.ports import Ports
from skytrail.embedded.valkey import EmbeddedValkey
from tests.servers import Served


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PATIENCE", 1.0)


@pytest.fixture
def hole() -> Iterator[int]:
    """A port that takes connections and never says a word, like a server that has been stopped."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def asked() -> tuple[int, dict[str, str]]:
    """What a stranger is told."""
    answer = Client().get("/health")
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, answer.json()


def test_all_is_well() -> None:
    assert asked() == (200, {"status": "ok", "database": "ok", "broker": "ok"})


@pytest.mark.parametrize("port", [1, None], ids=["refuses", "is silent"])
def test_a_broker_that_is_away_is_told(port: int | None, hole: int, settings: Settings) -> None:
    settings.SKYTRAIL_REDIS_URL = f"redis://127.0.0.1:{port or hole}/0"
    assert asked() == (503, {"status": "degraded", "database": "ok", "broker": "unavailable"})


@pytest.mark.parametrize("port", ["1", None], ids=["refuses", "is silent"])
def test_a_database_that_is_away_is_told(
    port: str | None, hole: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "PORT", port or str(hole))
    assert asked() == (503, {"status": "degraded", "database": "unavailable", "broker": "ok"})


def test_a_broker_that_is_stopped_and_goes_on_is_seen_both_times(
    settings: Settings, tmp_path: Path
) -> None:
    home = Home(tmp_path).create()
    port = Ports().choose(purpose="Redis", option="REDIS_URL")
    valkey = EmbeddedValkey(home, port=port, durable=False)
    with Served(valkey, log=tmp_path / "valkey.log") as served:
        settings.SKYTRAIL_REDIS_URL = valkey.url
        assert asked()[0] == 200
        assert served.process is not None
        os.kill(served.process.pid, signal.SIGSTOP)
        try:
            assert asked()[1]["broker"] == "unavailable"
        finally:
            os.kill(served.process.pid, signal.SIGCONT)
        monkey = asked()
        assert monkey[0] == 200


def test_it_says_nothing_else_and_only_to_readers() -> None:
    assert Client().post("/health").status_code == 405
    assert set(asked()[1]) == {"status", "database", "broker"}


def test_a_strangers_cookie_costs_the_database_nothing() -> None:
    browser = Client(headers={"Cookie": "sessionid=nonsensenonsensenonsensenonsense"})
    assert browser.get("/health").status_code == 200
