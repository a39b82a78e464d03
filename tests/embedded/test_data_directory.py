"""The data directory is private, keeps its secrets, and belongs to one supervisor at a time."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from skytrail.embedded.home import (
    AlreadyRunning,
    DataDirectoryNotYours,
    DataDirectoryUnusable,
    Home,
    State,
    running,
)
from tests.embedded.terminal import is_root

if TYPE_CHECKING:
    from pathlib import Path

    from tests.embedded.terminal import Terminals


def state(*, pid: int) -> State:
    return State(
        pid=pid,
        url="http://127.0.0.1:1",
        ports={"web": 1},
        database_url="postgresql://u:p@127.0.0.1:2/d",
        redis_url="redis://:p@127.0.0.1:3/0",
        secret_key_name="secret-key",
        fernet_key_name="fernet-key",
    )


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_its_owner_may_look_into_it(home: Home) -> None:
    home.secret("django")
    home.publish(state(pid=1))
    assert mode(home.path) == 0o700
    assert mode(home.path / "secrets") == 0o700
    assert mode(home.path / "secrets" / "django") == 0o600
    assert mode(home.path / "state.json") == 0o600


def test_git_does_not_see_it(home: Home) -> None:
    assert (home.path / ".gitignore").read_text() == "*\n"


def test_a_secret_is_made_once(home: Home) -> None:
    secret = home.secret("django")
    assert len(secret) >= 32
    assert Home(home.path).secret("django") == secret
    assert home.secret("another") != secret


def test_a_secret_asked_for_at_once_is_the_same_for_all(home: Home) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(home.secret, ["raced"] * 32))) == 1


def test_a_secret_file_that_a_crash_left_empty_is_filled(home: Home) -> None:
    (home.folder("secrets") / "django").touch()
    assert home.secret("django")


def test_a_file_in_its_place_is_named_in_the_error(folder: Path) -> None:
    (folder / "file").touch()
    with pytest.raises(DataDirectoryUnusable, match=r"file cannot hold .* --data-dir"):
        Home(folder / "file").create()


@pytest.mark.skipif(not is_root(), reason="only root can give a folder away")
def test_the_folder_of_another_user_is_refused(home: Home) -> None:
    os.chown(home.path, 65_534, -1)
    with pytest.raises(DataDirectoryNotYours, match=r"Run Skytrail as .* --data-dir"):
        Home(home.path).create()


def test_a_second_supervisor_is_refused_and_told_whom_to_end(home: Home) -> None:
    with home.locked(), pytest.raises(AlreadyRunning) as refused, Home(home.path).locked():
        pass
    assert f"kill {os.getpid()}" in refused.value.message
    assert "--data-dir" in refused.value.message


def test_whoever_holds_it_and_is_killed_lets_go(home: Home, terminals: Terminals) -> None:
    holder = terminals.run("hold.py", str(home.path))
    holder.wait_for("held")
    with pytest.raises(AlreadyRunning, match=str(holder.pid)), home.locked():
        pass
    holder.process.kill()
    holder.ended()
    with home.locked():
        pass


def test_other_commands_find_the_supervisor_that_runs(home: Home) -> None:
    with home.locked():
        home.publish(state(pid=os.getpid()))
        assert running(home.path) == state(pid=os.getpid())
        home.withdraw()
        assert running(home.path) is None


def test_the_state_of_a_killed_supervisor_does_not_count(home: Home) -> None:
    home.publish(state(pid=os.getpid()))
    assert running(home.path) is None


def test_the_state_of_an_earlier_supervisor_does_not_count(home: Home) -> None:
    home.publish(state(pid=1))
    with home.locked():
        assert running(home.path) is None


def test_where_nothing_ever_ran_nothing_runs(folder: Path) -> None:
    assert running(folder / "nowhere") is None


def test_looking_who_runs_does_not_hinder_a_start(home: Home) -> None:
    home.publish(state(pid=1))
    with home.locked():
        pass
    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(lambda: [running(home.path) for _ in range(2_000)])
        while not looking.done():
            with home.locked():
                pass
        assert len(looking.result()) == 2_000
