"""What is measured: `skytrail up` as anybody would start it, and a bare Celery worker beside it."""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

PATIENCE = 120.0


@dataclass(frozen=True)
class Installation:
    """Where it answers, and how to sign in."""

    url: str
    token: str
    password: str


@contextmanager
def skytrail(folder: Path, *, concurrency: int, flower: bool = False) -> Iterator[Installation]:
    """`skytrail up` in `folder`; afterwards this process knows its database and its broker."""
    log = folder / "up.log"
    password = secrets.token_urlsafe(16)
    os.environ["SKYTRAIL_DATA_DIR"] = str(folder / "data")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "skytrail.cli", "up", "--port=0"),
                f"--concurrency={concurrency}",
                *(("--flower-port=0",) if flower else ("--no-flower",)),
            ],
            env={
                **os.environ,
                "SKYTRAIL_ADMIN_PASSWORD": password,
                "SKYTRAIL_TASK_MODULES": "benchmarks.work",
                # Where `benchmarks` is found.
                "PYTHONPATH": str(Path(__file__).parents[1]),
            },
            stdout=output,
            stderr=output,
        )
    try:
        url = _wait_for(log, process, r"Skytrail is up +(\S+)")
        answer = httpx.post(
            f"{url}/api/v1/auth/token",
            json={"username": "admin", "password": password},
            timeout=30,
        ).raise_for_status()
        yield Installation(url, answer.json()["access_token"], password)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=PATIENCE)


@contextmanager
def bare_worker(folder: Path, *, concurrency: int) -> Iterator[None]:
    """A Celery worker of bare.py."""
    log = folder / "bare.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "celery", "--app=benchmarks.bare", "worker"),
                f"--concurrency={concurrency}",
                "--loglevel=INFO",
                "--hostname=bare@%h",
                # As Skytrail's own.
                *("--without-gossip", "--without-mingle"),
            ],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
            stdout=output,
            stderr=output,
        )
    try:
        _wait_for(log, process, r"(ready)\.")
        yield
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


def _wait_for(log: Path, process: subprocess.Popen[bytes], words: str) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(words, log.read_text()):
            return found[1]
        time.sleep(0.1)
    raise SystemExit(f"it did not start:\n{log.read_text()}")
