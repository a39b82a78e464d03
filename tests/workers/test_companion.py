from __future__ import annotations

import dataclasses
import math
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runs_app.domain.executions import Execution
from tests.waiting import wait_until
from tests.workers.calls import EXECUTION
from tests.workers.processes import is_gone
from workers import names
from workers.guards.companion import Companion, tell
from workers.guards.interruption import Interrupted, Reason
from workers.log import Log


@pytest.fixture
def companion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Companion]:
    monkeypatch.setenv(names.WORKER_DIRECTORY, str(tmp_path))
    companion = Companion(on_stuck=lambda *_: None)
    companion.start()
    yield companion
    companion.stop()


def work(companion: Companion, log: Log, execution: Execution = EXECUTION) -> None:
    """Work inside this process that does not end by itself."""
    with companion.watching(execution, log) as interruption, interruption.interruptible():
        wait_until(lambda: False, timeout=30, what="the interruption")


def test_work_is_told_when_its_time_is_up(companion: Companion) -> None:
    execution = dataclasses.replace(EXECUTION, timeout_seconds=0.05)
    with pytest.raises(Interrupted) as caught:
        work(companion, Log(1_000), execution)
    assert caught.value.reason is Reason.TIMEOUT


def test_work_is_told_when_its_lease_is_about_to_end() -> None:
    """Whatever has become of the worker that ought to renew it."""
    safe_until = [math.inf]
    companion = Companion(on_stuck=lambda *_: None, safe_until=lambda: safe_until[0])
    companion.start()
    with companion.watching(EXECUTION, Log(1_000)) as interruption:
        safe_until[0] = time.monotonic() - 1
        wait_until(lambda: interruption.reason is not None)
    companion.stop()
    assert interruption.reason is Reason.CUT_OFF


def test_the_worker_reaches_it_by_its_socket(companion: Companion, tmp_path: Path) -> None:
    key = {"task_run_id": EXECUTION.task_run_id, "epoch": EXECUTION.epoch}
    # What is meant for another execution, or makes no sense, is passed over.
    other = {**key, "epoch": EXECUTION.epoch + 1}
    assert tell(tmp_path, os.getpid(), **other, reason=Reason.LEASE_LOST)  # type: ignore[arg-type]
    companion._hammer.send(b"no JSON")
    log = Log(1_000)
    with companion.watching(EXECUTION, log) as interruption:
        assert tell(tmp_path, os.getpid(), **key, reason=Reason.CANCELLED)  # type: ignore[arg-type]
        wait_until(lambda: interruption.reason is Reason.CANCELLED)


def test_nobody_to_tell(tmp_path: Path) -> None:
    key: dict[str, Any] = {"task_run_id": EXECUTION.task_run_id, "epoch": 1}
    assert not tell(tmp_path, os.getpid(), **key, reason=Reason.CANCELLED)


#: A process whose work pays no attention; what was written down, and its child, are in files.
STUBBORN = """
    import os, signal, subprocess, sys, time
    from pathlib import Path
    import django
    from django.conf import settings
    django.setup()
    settings.SKYTRAIL_STOP_GRACE_SECONDS = 0
    from tests.workers.calls import EXECUTION
    from workers.guards import companion, interruption
    from workers.log import Log

    folder = Path(sys.argv[1])
    companion._TO_END_A_PROCESS = 0.2
    interruption.install()

    def on_stuck(execution, reason, rest):
        (folder / "written").write_text(f"{reason} {''.join(piece.text for piece in rest)}")
        raise RuntimeError("even so it ends")

    one = companion.Companion(on_stuck=on_stuck)
    one.start()
    log = Log(1000)
    child = subprocess.Popen(["sleep", "1000"])
    (folder / "child").write_text(str(child.pid))
    with one.watching(EXECUTION, log) as asked, asked.interruptible():
        while True:
            try:
                log.write("no")
                one._tell(one._charge.key, interruption.Reason.CANCELLED)
                time.sleep(1000)
            except BaseException:
                pass
"""


def test_work_that_does_not_stop_is_ended_with_its_process_and_what_it_has_started(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-c", textwrap.dedent(STUBBORN), str(tmp_path)]
    process = subprocess.run(command, check=False, timeout=60, capture_output=True)
    assert process.returncode == -signal.SIGKILL, process.stderr.decode()
    assert (tmp_path / "written").read_text().startswith("cancelled ")
    child = int((tmp_path / "child").read_text())
    wait_until(lambda: is_gone(child))
