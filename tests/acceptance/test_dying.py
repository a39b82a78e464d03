"""A worker dies, in whichever way: none of what its tasks have started goes on."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import psutil
import pytest

from tests.acceptance.conftest import Installation, Part
from tests.waiting import wait_until
from tests.workers.processes import is_gone

#: What a task has started, by `shop.gather_a_crowd` and by the command beside it.
CROWD = {"pool", "child", "far", "wiped", "fork", "shell", "daemon"}

#: A daemon that has left its group and its parent, and one process in the group.
COMMAND = (
    "trap '' TERM; echo $$ > {folder}/shell; "
    "(setsid bash -c 'exec >&- 2>&- <&-; echo $$ > {folder}/daemon; sleep 1000' &); "
    "sleep 1000"
)


def busy_worker(installation: Installation, name: str, folder: Path) -> tuple[Part, dict[str, int]]:
    """A worker with two tasks at work, and the pids of all that these have started."""
    folder.chmod(0o777)
    worker = installation.start_worker(name, queues=name)
    function = {"id": "function", "type": "python", "queue": name, "args": [str(folder)]}
    command = {"id": "command", "type": "bash", "queue": name}
    installation.save(
        name,
        [
            {**function, "callable": "tests.acceptance.shop.gather_a_crowd"},
            {**command, "command": COMMAND.format(folder=folder)},
        ],
    )
    installation.trigger(name)
    wait_until(lambda: crowd(folder).keys() == CROWD, timeout=60, what="all are at work")
    look_round(warden_of(worker))
    return worker, crowd(folder)


def crowd(folder: Path) -> dict[str, int]:
    """Who is at work, all of whose number is written."""
    marks = {mark.name: mark.read_text() for mark in folder.iterdir() if mark.is_file()}
    return {name: int(text) for name, text in marks.items() if text.endswith("\n")}


def warden_of(worker: Part) -> psutil.Process:
    def found() -> psutil.Process | None:
        for child in psutil.Process(worker.process.pid).children():
            with contextlib.suppress(psutil.ZombieProcess):  # just killed, not yet waited for
                if "workers.guards.warden_process" in child.cmdline():
                    return child
        return None

    warden = wait_until(found, timeout=30, what="it has a warden")
    assert warden is not None
    return warden


def worker_folder(pids: dict[str, int]) -> Path:
    """The folder of a worker, in which each command has its home."""
    folder = Path(psutil.Process(pids["shell"]).environ()["HOME"]).parent
    assert folder.name.startswith("skytrail-worker-")
    return folder


def wait_until_gone(pids: dict[str, int]) -> None:
    def gone() -> bool:
        left = [name for name, pid in pids.items() if not is_gone(pid)]
        assert left == []
        return True

    wait_until(gone, timeout=30)


def look_round(warden: psutil.Process) -> None:
    """Waits until the warden has seen who is there now."""
    rounds = warden.num_ctx_switches().voluntary
    wait_until(
        lambda: warden.num_ctx_switches().voluntary >= rounds + 3,
        timeout=30,
        what="it has looked round",
    )


def kill_the_parent(worker: Part) -> None:
    worker.kill()


def kill_the_group(worker: Part) -> None:
    os.killpg(worker.process.pid, signal.SIGKILL)
    worker.process.wait()


def kill_it_halted(worker: Part) -> None:
    os.killpg(worker.process.pid, signal.SIGSTOP)
    wait_until(
        lambda: psutil.Process(worker.process.pid).status() == psutil.STATUS_STOPPED,
        what="it is halted",
    )
    worker.kill()


WAYS = {"parent": kill_the_parent, "group": kill_the_group, "halted": kill_it_halted}


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_left_of_a_killed_worker(
    installation: Installation, tmp_path: Path, way: str
) -> None:
    worker, pids = busy_worker(installation, f"{way}_killed", tmp_path)
    family = psutil.Process(worker.process.pid).children(recursive=True)
    folder = worker_folder(pids)
    WAYS[way](worker)
    wait_until_gone(pids)
    wait_until(lambda: all(is_gone(process.pid) for process in family), what="all have gone")
    assert not folder.exists(), "and what was theirs for a while"


def test_nothing_is_left_of_a_killed_pool_process(
    installation: Installation, tmp_path: Path
) -> None:
    worker, pids = busy_worker(installation, "pool_killed", tmp_path)
    for process in psutil.Process(worker.process.pid).children():
        if process != warden_of(worker):
            process.kill()
    wait_until_gone(pids)
    worker.kill()


def test_a_warden_that_is_killed_has_a_successor_who_knows_what_it_knew(
    installation: Installation, tmp_path: Path
) -> None:
    worker, pids = busy_worker(installation, "warden_killed", tmp_path)
    first = warden_of(worker)
    first.kill()
    wait_until(lambda: warden_of(worker) != first, timeout=30, what="there is another")
    second = warden_of(worker)
    wait_until(
        lambda: len(second.net_connections(kind="unix")) == 3,
        timeout=30,
        what="both have called it",
    )
    look_round(second)
    assert not any(map(is_gone, pids.values())), "nothing has ended with it"
    worker.kill()
    # Only who was forked and has left its parent is known to nobody any more.
    del pids["fork"]
    wait_until_gone(pids)
    os.kill(crowd(tmp_path)["fork"], signal.SIGKILL)


def test_a_task_whose_code_ends_its_process_is_run_again(
    installation: Installation, tmp_path: Path
) -> None:
    """As C code does that gets no memory: nobody is there to say so, and it is noticed."""
    tmp_path.chmod(0o777)
    task = {"id": "a", "type": "python", "callable": "tests.acceptance.shop.end_at_once"}
    installation.save("aborting", [{**task, "args": [str(tmp_path)], "memory_limit_mb": 64}])
    run_id = installation.trigger("aborting")
    assert installation.wait_for_end("aborting", run_id)["state"] == "success"
    assert installation.task("aborting", run_id, "a")["lost_count"] == 1
