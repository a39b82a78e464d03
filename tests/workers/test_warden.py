from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.waiting import wait_until
from tests.workers.processes import is_gone
from workers import warden

#: A pool process: it starts something for an execution, and says so in a file.
POOL_PROCESS = """
    import os, subprocess, sys, time
    from workers import warden
    with warden.watching("an-execution") as watch:
        child = subprocess.Popen(
            ["bash", "-c", sys.argv[1]],
            env={**os.environ, warden.COOKIE: "an-execution"},
            start_new_session=True,
        )
        if len(sys.argv) == 2:
            watch.group(child.pid)
        time.sleep(1000)
"""


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(warden.SOCKET, "")  # so that it is put back afterwards
    directory = tmp_path / "worker"
    directory.mkdir()
    return directory


@pytest.fixture
def process(directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = warden.start(directory)
    yield process
    assert process.stdin is not None
    process.stdin.close()
    process.wait(timeout=10)


def pool_process(command: str, *more: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(POOL_PROCESS), command, *more])


def pid_in(path: Path) -> int:
    wait_until(lambda: path.exists() and path.read_text().strip(), what=f"{path.name} is written")
    return int(path.read_text())


@pytest.mark.usefixtures("process")
def test_what_a_killed_pool_process_had_started_is_killed(tmp_path: Path) -> None:
    command = f"trap '' TERM HUP; sleep 1000 & echo $! > {tmp_path}/child; wait"
    with pool_process(command) as pool:
        child = pid_in(tmp_path / "child")
        pool.kill()
    wait_until(lambda: is_gone(child))


@pytest.mark.usefixtures("process")
def test_what_has_left_the_group_is_found_by_its_cookie(tmp_path: Path) -> None:
    command = f"setsid bash -c 'echo $$ > {tmp_path}/child; sleep 1000'"
    with pool_process(command) as pool:
        child = pid_in(tmp_path / "child")
        pool.kill()
    wait_until(lambda: is_gone(child))


@pytest.mark.usefixtures("process")
def test_what_was_started_and_not_yet_told_is_found_too(tmp_path: Path) -> None:
    with pool_process(f"echo $$ > {tmp_path}/child; sleep 1000", "untold") as pool:
        child = pid_in(tmp_path / "child")
        pool.kill()
    wait_until(lambda: is_gone(child))


def test_it_knows_no_secrets(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:canary@h/d")
    with warden.start(directory) as process:
        environment = psutil.Process(process.pid).environ()
        assert process.stdin is not None
        process.stdin.close()
    assert "DATABASE_URL" not in environment


def test_it_goes_when_the_worker_has_gone_and_takes_the_directory_along(directory: Path) -> None:
    (directory / "task-left").mkdir()
    with warden.start(directory) as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=10) == 0
    assert not directory.exists()


def test_it_stays_until_the_last_pool_process_has_gone(directory: Path, tmp_path: Path) -> None:
    with warden.start(directory) as process:
        with pool_process(f"echo $$ > {tmp_path}/child; sleep 1000") as pool:
            child = pid_in(tmp_path / "child")
            assert process.stdin is not None
            process.stdin.close()
            assert process.poll() is None
            assert not is_gone(child)
            pool.kill()
        assert process.wait(timeout=10) == 0
    assert is_gone(child)


@pytest.mark.usefixtures("process")
def test_a_forked_child_does_not_keep_up_the_connection(tmp_path: Path) -> None:
    """Such as user code makes with multiprocessing: the warden would not hear of the death."""
    program = POOL_PROCESS.replace(
        "time.sleep(1000)",
        "if os.fork() == 0:\n            open(sys.argv[1].split()[-1] + '.fork', 'w').write("
        "str(os.getpid()))\n        time.sleep(1000)",
    )
    told = f"sleep 1000 & echo $! > {tmp_path}/child"
    command = [sys.executable, "-c", textwrap.dedent(program), told]
    with subprocess.Popen(command) as pool:
        child = pid_in(tmp_path / "child")
        fork = pid_in(tmp_path / "child.fork")
        pool.kill()
    try:
        wait_until(lambda: is_gone(child))
    finally:
        os.kill(fork, 9)


def test_without_a_warden_work_goes_on(directory: Path) -> None:
    os.environ[warden.SOCKET] = str(directory / "nobody.sock")
    went_on = False
    with warden.watching("an-execution") as watch:
        watch.group(1)
        went_on = True
    assert went_on


def test_somebody_who_keeps_starting_others_is_killed_with_them() -> None:
    environment = {**os.environ, warden.COOKIE: "a-swarm"}
    swarm = "for i in 1 2 3 4 5; do setsid sleep 1000 & done; wait"
    with subprocess.Popen(["bash", "-c", swarm], env=environment, start_new_session=True) as leader:
        wait_until(lambda: len(psutil.Process(leader.pid).children()) == 5)
        children = [child.pid for child in psutil.Process(leader.pid).children()]
        warden.kill_by_cookie({"a-swarm"})
    wait_until(lambda: all(is_gone(child) for child in children))
