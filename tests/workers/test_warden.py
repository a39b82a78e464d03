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
from workers.guards import warden
from workers.guards.offspring import COOKIE, kill_by_cookie
from workers.guards.warden import Warden
from workers.lifecycle import make_directory

#: A pool process: it starts something for an execution, and says so in a file.
POOL_PROCESS = """
    import os, subprocess, sys, time
    from workers.guards import offspring, warden
    with warden.watching("an-execution") as watch:
        child = subprocess.Popen(
            ["bash", "-c", sys.argv[1]],
            env={**os.environ, offspring.COOKIE: "an-execution"},
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
def process(directory: Path) -> Iterator[psutil.Process]:
    warden = Warden(directory)
    yield psutil.Process(warden.process.pid)
    warden.close(timeout=10)
    assert not psutil.pid_exists(warden.process.pid)


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


def test_there_is_room_for_its_socket_in_a_deep_folder_for_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(warden.SOCKET, "")
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    made = Warden(make_directory())
    assert made.process.poll() is None
    made.close(timeout=10)


def test_it_knows_no_secrets(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:canary@h/d")
    warden = Warden(directory)
    environment = psutil.Process(warden.process.pid).environ()
    warden.close(timeout=10)
    assert "DATABASE_URL" not in environment


def test_it_goes_when_the_worker_has_gone_and_takes_the_directory_along(directory: Path) -> None:
    (directory / "task-left").mkdir()
    warden = Warden(directory)
    warden.close(timeout=10)
    assert warden.process.returncode == 0
    assert not directory.exists()


def test_it_stays_until_the_last_pool_process_has_gone(directory: Path, tmp_path: Path) -> None:
    warden = Warden(directory)
    with pool_process(f"echo $$ > {tmp_path}/child; sleep 1000") as pool:
        child = pid_in(tmp_path / "child")
        warden.close(timeout=0)
        assert warden.process.poll() is None
        assert not is_gone(child)
        pool.kill()
    assert warden.process.wait(timeout=10) == 0
    assert is_gone(child)


#: What functions of users do, in a pool process that has told the warden of itself and of no more.
IN_PROCESS = """
    import os, pathlib, subprocess, sys, time
    from workers.guards import warden
    warden.join()
    folder = pathlib.Path(sys.argv[1])
    def say(name):
        (folder / name).write_text(str(os.getpid()))
    {work}
    say("pool")
    time.sleep(1000)
"""


def in_process(work: str, folder: Path) -> subprocess.Popen[bytes]:
    program = textwrap.dedent(IN_PROCESS).format(work=textwrap.dedent(work).strip())
    pool = subprocess.Popen([sys.executable, "-c", program, str(folder)])
    pid_in(folder / "pool")
    return pool


@pytest.mark.usefixtures("process")
def test_what_a_function_has_started_is_killed_with_its_process(tmp_path: Path) -> None:
    work = f"subprocess.Popen(['bash', '-c', 'echo $$ > {tmp_path}/child; sleep 1000'])"
    with in_process(work, tmp_path) as pool:
        child = pid_in(tmp_path / "child")
        pool.kill()
    wait_until(lambda: is_gone(child))


@pytest.mark.usefixtures("process")
def test_what_a_function_has_forked_is_killed_with_its_process(tmp_path: Path) -> None:
    """It carries no cookie: its environment is the one that its parent had at its start."""
    work = """
if os.fork() == 0:
    say("child")
    os.setsid()
    if os.fork() == 0:
        say("grandchild")
        time.sleep(1000)
    time.sleep(1000)
"""
    with in_process(work, tmp_path) as pool:
        pids = [pid_in(tmp_path / name) for name in ("child", "grandchild")]
        pool.kill()
    wait_until(lambda: all(map(is_gone, pids)))


def test_what_has_wiped_its_environment_is_killed_where_it_was_seen(
    process: psutil.Process, tmp_path: Path
) -> None:
    work = f"""
subprocess.Popen(
    ['/bin/bash', '-c', 'echo $$ > {tmp_path}/child; sleep 1000'], env={{}}, start_new_session=True
)
"""
    with in_process(work, tmp_path) as pool:
        child = pid_in(tmp_path / "child")
        rounds = process.num_ctx_switches().voluntary
        wait_until(
            lambda: process.num_ctx_switches().voluntary >= rounds + 3,
            what="the warden has looked round",
        )
        pool.kill()
    wait_until(lambda: is_gone(child))


@pytest.mark.usefixtures("process")
def test_a_short_lived_fork_ends_nothing(tmp_path: Path) -> None:
    work = f"""
subprocess.Popen(['bash', '-c', 'echo $$ > {tmp_path}/child; sleep 1000'])
for _ in range(50):
    fork = os.fork()
    if fork == 0:
        os._exit(0)
    os.waitpid(fork, 0)
"""
    with in_process(work, tmp_path) as pool:
        child = pid_in(tmp_path / "child")
        assert pool.poll() is None
        assert not is_gone(child)
        pool.kill()
    wait_until(lambda: is_gone(child))


def is_asleep(pid: int) -> bool:
    """Whether none of its threads has anything to do or to say."""
    tasks = list(Path(f"/proc/{pid}/task").iterdir())
    return all((task / "stat").read_text().rpartition(")")[2].split()[0] == "S" for task in tasks)


def test_another_takes_the_place_of_one_that_was_killed(directory: Path, tmp_path: Path) -> None:
    warden = Warden(directory)
    first = warden.process
    with pool_process(f"echo $$ > {tmp_path}/child; sleep 1000") as pool:
        child = pid_in(tmp_path / "child")
        first.kill()
        wait_until(lambda: warden.process is not first, what="there is another")
        second = psutil.Process(warden.process.pid)
        wait_until(lambda: len(second.net_connections(kind="unix")) == 2, what="it was turned to")
        wait_until(lambda: is_asleep(pool.pid), what="it was told what there is to end")
        assert not is_gone(child), "that its warden was away has ended nothing"
        pool.kill()
        wait_until(lambda: is_gone(child))
    assert second.is_running()
    warden.close(timeout=10)
    assert not directory.exists()


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
    wait_until(lambda: is_gone(child) and is_gone(fork))


def test_without_a_warden_work_goes_on(directory: Path, tmp_path: Path) -> None:
    os.environ[warden.SOCKET] = str(directory / "nobody.sock")
    with pool_process(f"echo $$ > {tmp_path}/child; sleep 1000") as pool:
        child = pid_in(tmp_path / "child")
        assert pool.poll() is None
        pool.kill()
    os.kill(child, 9)


def test_somebody_who_keeps_starting_others_is_killed_with_them() -> None:
    environment = {**os.environ, COOKIE: "a-swarm"}
    swarm = "for i in 1 2 3 4 5; do setsid sleep 1000 & done; wait"
    with subprocess.Popen(["bash", "-c", swarm], env=environment, start_new_session=True) as leader:
        wait_until(lambda: len(psutil.Process(leader.pid).children()) == 5)
        children = [child.pid for child in psutil.Process(leader.pid).children()]
        kill_by_cookie({"a-swarm"})
    wait_until(lambda: all(is_gone(child) for child in children))
