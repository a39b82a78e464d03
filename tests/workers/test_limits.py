"""What a command may use, and that nothing of it stays."""

from __future__ import annotations

import os
import resource
import shlex
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from pytest_django import Settings

from runs_app.domain.states import TaskState
from tests.waiting import wait_until
from tests.workers.calls import Bench
from tests.workers.processes import is_gone
from workers.guards import offspring
from workers.guards.interruption import Reason
from workers.guards.limits import MEBIBYTE
from workers.guards.offspring import COOKIE, InThisProcess
from workers.log import Log

#: A daemon as they are: with a session of its own, no parent, no environment and no open files.
DAEMON = """
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 100)
        os.execve(sys.executable, [sys.executable, "-c", sys.argv[1]], {})
    os._exit(0)
os.wait()
"""


def python(program: str, *arguments: str) -> str:
    """A command line that runs a Python program."""
    return shlex.join([sys.executable, "-c", textwrap.dedent(program), *arguments])


def daemon(folder: Path, *, then: str = "time.sleep(1000)") -> str:
    """A command line that starts a daemon, and ends; the daemon writes down its pid."""
    program = f"import os, time; x = open({str(folder / 'daemon')!r}, 'w'); print(os.getpid(), "
    return python(DAEMON, f"{program}file=x, flush=True); {then}")


@pytest.fixture
def nobody_stays() -> Iterator[None]:
    """Afterwards this process has the children that it had, and none that has ended."""
    before = psutil.Process().children()
    yield
    assert psutil.Process().children() == before


def pid_of_daemon(folder: Path) -> int:
    mark = folder / "daemon"
    wait_until(lambda: mark.exists() and mark.read_text().endswith("\n"), what="the daemon runs")
    return int(mark.read_text())


# ------------------------------------------------------------------- memory


def test_a_command_that_uses_too_much_memory_is_ended_and_told_how_much(bench: Bench) -> None:
    command = f"echo begun; {python('x = bytearray(300_000_000); import time; time.sleep(1000)')}"
    outcome = bench.about(memory_limit_mb=64).run("bash", command=command)
    assert (outcome.state, outcome.reason) == (TaskState.FAILED, "out_of_memory")
    assert "may use 64 MiB" in outcome.message
    assert outcome.may_retry
    assert bench.log == "begun\n"


def test_what_all_its_processes_use_counts_together(bench: Bench) -> None:
    one = python("x = bytearray(40_000_000); import time; time.sleep(1000)")
    command = f"{one} & {one} & {one} & wait"
    assert bench.about(memory_limit_mb=100).run("bash", command=command).reason == "out_of_memory"


def test_what_its_processes_share_counts_once(bench: Bench) -> None:
    """Six processes see the same 40 MB."""
    program = """
        import os, pathlib, time
        x = bytearray(40_000_000)
        for _ in range(5):
            if os.fork() == 0:
                time.sleep(1000)
        begun = time.monotonic()
        while time.monotonic() < begun + 0.8:  # more than one measurement
            time.sleep(0.05)
    """
    outcome = bench.about(memory_limit_mb=120).run("bash", command=python(program))
    assert outcome.state is TaskState.SUCCESS, outcome.message


def test_a_file_that_it_has_mapped_does_not_count(bench: Bench, tmp_path: Path) -> None:
    program = f"""
        import mmap, time
        with open({str(tmp_path / "large")!r}, "w+b") as file:
            file.truncate(200_000_000)
            file.seek(0)
            for _ in range(200):
                file.write(bytes(1_000_000))
            file.flush()
            seen = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
            begun = time.monotonic()
            while time.monotonic() < begun + 0.8:
                sum(seen[::4096])
    """
    outcome = bench.about(memory_limit_mb=64).run("bash", command=python(program))
    assert outcome.state is TaskState.SUCCESS, outcome.message


def test_a_daemon_counts_and_is_ended_too(bench: Bench, tmp_path: Path) -> None:
    greedy = "x = bytearray(300_000_000); time.sleep(1000)"
    command = f"{daemon(tmp_path, then=greedy)}; sleep 1000"
    assert bench.about(memory_limit_mb=64).run("bash", command=command).reason == "out_of_memory"
    assert is_gone(pid_of_daemon(tmp_path))


def test_the_workers_own_limit_holds_for_tasks_that_have_none(
    bench: Bench, settings: Settings
) -> None:
    settings.SKYTRAIL_TASK_MEMORY_MB = 64
    command = python("x = bytearray(100_000_000); import time; time.sleep(0.8)")
    assert bench.run("bash", command=command).reason == "out_of_memory"
    assert bench.about(memory_limit_mb=256).run("bash", command=command).reason == ""


@pytest.fixture
def small_group() -> Iterator[Path]:
    """A cgroup in which there is little memory; who writes its pid into it is limited."""
    folder = Path("/sys/fs/cgroup/memory") / f"skytrail-test-{os.getpid()}"
    try:
        folder.mkdir()
        (folder / "memory.limit_in_bytes").write_text(str(64 * MEBIBYTE))
    except OSError:
        pytest.skip("no cgroup (version 1) can be made here")
    yield folder / "cgroup.procs"
    wait_until(lambda: (folder / "cgroup.procs").read_text() == "", what="nobody is in it")
    folder.rmdir()


def test_when_the_kernel_kills_for_memory_it_is_said(bench: Bench, small_group: Path) -> None:
    greedy = python("x = bytearray(300_000_000)")
    for command in (f"exec {greedy}", f"{greedy}; exit $?"):
        outcome = bench.run("bash", command=f"echo $$ > {small_group}; {command}")
        assert outcome.reason == "out_of_memory", outcome.message
        assert "the system had no memory left" in outcome.message


def test_a_kill_by_somebody_else_is_not_taken_for_want_of_memory(bench: Bench) -> None:
    outcome = bench.run("bash", command="kill -KILL $$")
    assert (outcome.reason, outcome.exit_code) == ("exit_code", -9)


# ------------------------------------------------------------------- memory, in this process


@pytest.mark.parametrize(
    ("type_", "what"),
    [
        ("python", {"callable": "tests.workers.chores.hoard", "args": [300]}),
        ("python", {"callable": "tests.workers.chores.hoard_bit_by_bit"}),
        ("branch", {"callable": "tests.workers.chores.hoard", "args": [300]}),
        ("celery", {"task": "tests.workers.chores.celery_hoard", "args": [300]}),
    ],
)
def test_code_that_uses_too_much_memory_fails_and_its_process_goes_on(
    bench: Bench, type_: str, what: dict[str, Any]
) -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    outcome = bench.about(memory_limit_mb=64).run(type_, **what)
    assert (outcome.state, outcome.reason) == (TaskState.FAILED, "out_of_memory")
    assert "may use 64 MiB" in outcome.message
    assert "MemoryError" in bench.log
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    assert bytearray(300 * MEBIBYTE), "this process may use again what it could before"


def test_code_may_make_do_with_less_memory(bench: Bench) -> None:
    outcome = bench.about(memory_limit_mb=64).run(
        "python", callable="tests.workers.chores.hoard_and_make_do"
    )
    assert (outcome.state, outcome.output) == (TaskState.SUCCESS, "with less")


def test_within_its_limit_code_has_what_it_needs(bench: Bench) -> None:
    outcome = bench.about(memory_limit_mb=64).run(
        "python", callable="tests.workers.chores.hoard", args=[50]
    )
    assert outcome.state is TaskState.SUCCESS, outcome.message


def test_the_limit_holds_for_each_process_that_code_starts(bench: Bench) -> None:
    children = {"callable": "tests.workers.chores.hoard_in_children", "args": [1000]}
    assert bench.about(memory_limit_mb=64).run("python", **children).output == 1
    assert bench.about(memory_limit_mb=None).run("python", **children).output == 0


def test_a_module_that_needs_too_much_memory_can_be_imported_by_another_try(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "large_module.py").write_text("x = bytearray(200_000_000)\ndef f(): return len(x)")
    monkeypatch.syspath_prepend(tmp_path)
    outcome = bench.about(memory_limit_mb=64).run("python", callable="large_module.f")
    assert (outcome.reason, outcome.may_retry) == ("out_of_memory", True)
    outcome = bench.about(memory_limit_mb=None).run("python", callable="large_module.f")
    assert outcome.output == 200_000_000
    sys.modules.pop("large_module")


def test_want_of_memory_has_its_reason_without_a_limit_too(bench: Bench) -> None:
    outcome = bench.run("python", callable="tests.workers.chores.hoard", args=[2**40])
    assert (outcome.state, outcome.reason) == (TaskState.FAILED, "out_of_memory")


# ------------------------------------------------------------------- output


@pytest.mark.parametrize(
    "flood",
    ["yes", "tr '\\0' x < /dev/zero", "cat /dev/zero", "while :; do echo a; done"],
    ids=["lines", "one line", "NULs", "small pieces"],
)
def test_a_command_that_writes_without_end_is_ended_where_that_is_limited(
    bench: Bench, settings: Settings, flood: str
) -> None:
    settings.SKYTRAIL_OUTPUT_LIMIT_BYTES = 2_000_000 if "while" not in flood else 20_000
    bench.log_limit = 10_000
    outcome = bench.run("bash", command=flood)
    assert (outcome.state, outcome.reason) == (TaskState.FAILED, "output_limit")
    assert "SKYTRAIL_OUTPUT_LIMIT_BYTES" in outcome.message
    assert len(bench.log.encode()) < 30_000


@pytest.mark.parametrize("flood", ["cat /dev/zero", "tr '\\0' x < /dev/zero", "yes é"])
def test_a_flood_leaves_the_worker_as_large_as_it_was(bench: Bench, flood: str) -> None:
    bench.log_limit = 10_000

    def flooded(log: Log) -> bool:
        log.take()
        return log._over > 100_000_000

    memory = psutil.Process().memory_info().rss
    bench.stop("bash", command=flood, once=flooded, reason=Reason.CANCELLED)
    assert psutil.Process().memory_info().rss - memory < 30_000_000


# ------------------------------------------------------------------- nothing stays


@pytest.mark.usefixtures("nobody_stays")
def test_a_daemon_that_wiped_its_environment_ends_with_its_task(
    bench: Bench, tmp_path: Path
) -> None:
    mark = shlex.quote(str(tmp_path / "daemon"))
    command = f"{daemon(tmp_path)}; until [ -s {mark} ]; do sleep 0.02; done"
    assert bench.run("bash", command=command).state is TaskState.SUCCESS
    assert is_gone(pid_of_daemon(tmp_path))


@pytest.mark.usefixtures("nobody_stays")
def test_a_daemon_that_wiped_its_environment_is_killed_with_a_cancelled_task(
    bench: Bench, tmp_path: Path
) -> None:
    bench.stop(
        "bash",
        command=f"{daemon(tmp_path)}; sleep 1000",
        once=lambda _: (tmp_path / "daemon").exists(),
        reason=Reason.CANCELLED,
    )
    assert is_gone(pid_of_daemon(tmp_path))


def test_what_a_function_has_started_ends_when_it_is_cancelled(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(COOKIE, "this process")
    before = psutil.Popen(["sleep", "1000"])
    there = offspring._look(before.pid)
    assert there is not None
    # The system tells in ticks when a process was started.
    wait_until(lambda: (InThisProcess()._since or 0) > there.started, what="it was there before")
    bench.stop(
        "python",
        callable="tests.workers.chores.start_others_then_wait",
        args=[str(tmp_path)],
        once=lambda _: len([mark for mark in tmp_path.iterdir() if mark.read_text()]) == 2,
        reason=Reason.CANCELLED,
    )
    assert all(is_gone(int(mark.read_text())) for mark in tmp_path.iterdir())
    assert not is_gone(before.pid), "what was there before it stays"
    before.kill()
    before.wait()


@pytest.mark.usefixtures("nobody_stays")
def test_a_swarm_that_makes_up_for_every_loss_is_ended_whole(bench: Bench, tmp_path: Path) -> None:
    """Three hundred processes, each in a session of its own, each replaced when it is killed."""
    program = f"""
        import os, pathlib, time
        folder = pathlib.Path({str(tmp_path)!r})

        def live():
            os.setsid()
            while True:
                child = os.fork()
                if child == 0:
                    os.setsid()
                    (folder / str(os.getpid())).touch()
                    time.sleep(1000)
                os.waitpid(child, 0)  # killed: here comes another

        for _ in range(150):
            if os.fork() == 0:
                live()
        while len(os.listdir(folder)) < 150:
            time.sleep(0.02)
        (folder / "complete").touch()
        time.sleep(1000)
    """
    bench.stop(
        "bash",
        command=python(program),
        once=lambda _: (tmp_path / "complete").exists(),
        reason=Reason.CANCELLED,
    )
    pids = [int(path.name) for path in tmp_path.iterdir() if path.name.isdigit()]
    assert len(pids) >= 150
    assert all(map(is_gone, pids))


def test_processes_that_its_worker_had_before_are_not_a_commands(
    bench: Bench, tmp_path: Path
) -> None:
    """A function that ran earlier may have left them on purpose."""
    before = psutil.Popen(["sleep", "1000"], start_new_session=True)
    beside = psutil.Popen(["sleep", "1000"])
    try:
        command = f"{daemon(tmp_path)}; until [ -s {tmp_path}/daemon ]; do sleep 0.02; done"
        assert bench.run("bash", command=command).state is TaskState.SUCCESS
        assert before.is_running()
        assert beside.is_running()
    finally:
        for process in (before, beside):
            process.kill()
            process.wait()


@pytest.mark.usefixtures("nobody_stays")
def test_what_many_short_lived_daemons_leave_is_waited_for(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a command that runs for days would use up the system's numbers."""
    monkeypatch.setattr("workers.executors.process._TIDY_EVERY", 0.05)

    def tidied(_: Log) -> bool:
        pids = [int(path.name) for path in tmp_path.iterdir()]
        return len(pids) == 6 and not any(map(psutil.pid_exists, pids))

    short = f"setsid bash -c 'touch {tmp_path}/$$; sleep 0.1'"
    command = f"for i in 1 2 3 4 5 6; do ({short} &); done; sleep 1000"
    bench.stop("bash", command=command, once=tidied, reason=Reason.CANCELLED)
    assert list(tmp_path.iterdir())
