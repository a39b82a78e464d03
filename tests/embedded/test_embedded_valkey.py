"""The embedded Valkey keeps what was queued, and lets nobody in without the password."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest
import redis

from skytrail.embedded.home import Home
from skytrail.embedded.ports import Ports
from skytrail.embedded.valkey import EmbeddedValkey
from tests.embedded.terminal import alive, command_lines
from tests.servers import Served

if TYPE_CHECKING:
    from pathlib import Path


def valkey_in(home: Home) -> EmbeddedValkey:
    return EmbeddedValkey(home, port=Ports().choose(purpose="Redis", option="--redis-port"))


def serve(valkey: EmbeddedValkey) -> Served:
    return Served(valkey, log=valkey.home.path / "valkey.log")


def client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, decode_responses=True)


@pytest.fixture
def valkey(home: Home) -> EmbeddedValkey:
    return valkey_in(home)


def test_what_was_queued_survives_a_stop_and_kill_9(valkey: EmbeddedValkey) -> None:
    with serve(valkey), client(valkey.url) as queue:
        queue.rpush("queue", "first")
    served = serve(valkey).start().wait_until_ready()
    with client(valkey.url) as queue:
        queue.rpush("queue", "second")
    served.kill()
    with serve(valkey), client(valkey.url) as queue:
        assert queue.lrange("queue", 0, -1) == ["first", "second"]


def test_without_the_password_nobody_gets_in(valkey: EmbeddedValkey) -> None:
    with (
        serve(valkey),
        client(f"redis://127.0.0.1:{valkey.port}/0") as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()


def test_the_password_is_in_a_private_file_and_in_no_command_line(valkey: EmbeddedValkey) -> None:
    with serve(valkey):
        lines = command_lines()
    assert str(valkey.folder) in lines
    assert valkey.home.secret("redis-password") not in lines
    assert stat.S_IMODE((valkey.folder / "valkey.conf").stat().st_mode) == 0o600


def test_it_rather_refuses_than_forgets_when_memory_is_short(valkey: EmbeddedValkey) -> None:
    with serve(valkey), client(valkey.url) as asked:
        settings = asked.config_get("*")
    assert settings["maxmemory-policy"] == "noeviction"
    assert settings["appendonly"] == "yes"
    assert settings["appendfsync"] == "everysec"
    assert settings["bind"] == "127.0.0.1"


@pytest.mark.parametrize("name", ["with space", 'with "quotes" and \\', "über"])
def test_its_folder_may_have_any_name(folder: Path, name: str) -> None:
    with serve(valkey_in(Home(folder / name).create())) as served:
        assert served.server.is_ready()
    assert (folder / name / "valkey" / "appendonlydir").is_dir()


def test_a_server_that_an_earlier_start_left_behind_is_ended_first(valkey: EmbeddedValkey) -> None:
    forgotten = serve(valkey).start().wait_until_ready()
    assert forgotten.process
    pid = forgotten.process.pid
    with client(valkey.url) as queue:
        queue.rpush("queue", "kept")
    second = valkey_in(valkey.home)
    with serve(second), client(second.url) as queue:
        assert not alive(pid)
        assert queue.lrange("queue", 0, -1) == ["kept"]
    forgotten.stop()
