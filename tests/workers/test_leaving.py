"""A worker's process, started and stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from django.conf import settings
from django.db import connection

from runs_app.models import Worker
from tests.waiting import wait_until
from tests.workers.processes import is_gone

#: Much more than an idle worker needs, and less than it did with Celery's naps.
SOON = 1.9


@pytest.fixture
def worker(committing: None, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    database = connection.settings_dict
    login = f"{database['USER']}:{database['PASSWORD']}"
    place = f"{database['HOST']}:{database['PORT']}/{database['NAME']}"
    environment = {
        **os.environ,
        "DATABASE_URL": f"postgresql://{login}@{place}",
        "REDIS_URL": settings.SKYTRAIL_REDIS_URL,
        "DJANGO_SETTINGS_MODULE": "skytrail.settings",
        "SKYTRAIL_SECRET_KEY": "only for the tests",
        "TMPDIR": str(tmp_path),
    }
    command = [sys.executable, "-m", "skytrail.cli", "worker", "--name=leaving", "--concurrency=2"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    wait_until(
        Worker.objects.filter(name__startswith="leaving@", stopped_at=None).exists,
        timeout=40,
        what="the worker has reported itself",
    )
    yield process
    process.kill()
    process.wait()


def test_an_idle_worker_leaves_at_once_and_leaves_nothing(
    worker: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    family = [child.pid for child in psutil.Process(worker.pid).children(recursive=True)]
    assert len(family) >= 3, "two pool processes and a warden"
    started = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=20) == 0
    took = time.monotonic() - started
    assert took < SOON
    wait_until(lambda: all(is_gone(pid) for pid in family))
    assert Worker.objects.get(name__startswith="leaving@").stopped_at is not None
    assert list(tmp_path.glob("skytrail-worker-*")) == []


def test_a_killed_worker_leaves_nothing_either(
    worker: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    family = [child.pid for child in psutil.Process(worker.pid).children(recursive=True)]
    worker.kill()
    worker.wait()
    wait_until(lambda: all(is_gone(pid) for pid in family), timeout=20)
    wait_until(lambda: not list(tmp_path.glob("skytrail-worker-*")))
