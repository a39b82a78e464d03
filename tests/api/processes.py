"""The real web server and the real Flower, as processes beside the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from django.conf import settings
from django.db import connection

from skytrail.embedded.ports import Ports
from tests.waiting import wait_until

#: Of these processes, for tests that make sessions for them.
SECRET_KEY = "only for the tests"


@dataclass(frozen=True)
class Web:
    """A running web server."""

    host: str
    port: int
    pid: int

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


@contextmanager
def started_web(folder: Path) -> Iterator[Web]:
    """`skytrail web`, until the block ends."""
    with _started("web", folder) as (port, process):
        web = Web("127.0.0.1", port, process.pid)
        wait_until(lambda: _answers(f"{web.url}/health"), timeout=30, what="the web answers")
        yield web


@contextmanager
def started_flower(folder: Path, *, login: str) -> Iterator[str]:
    """`skytrail flower`, until the block ends; its address."""
    with _started("flower", folder, FLOWER_BASIC_AUTH=login) as (port, _):
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: _answers(f"{url}/flower/healthcheck"), timeout=30, what="Flower answers")
        yield url


@contextmanager
def _started(
    name: str, folder: Path, **environment: str
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    port = Ports().choose(purpose=name, option="--port", asked=0)
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "skytrail.cli", name, f"--port={port}"],
            env=_environment() | environment,
            stdout=output,
            stderr=output,
        )
    try:
        yield port, process
    except BaseException:
        sys.stderr.write(log.read_text()[-3000:])
        raise
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment() -> dict[str, str]:
    database = connection.settings_dict
    login = f"{database['USER']}:{database['PASSWORD']}"
    place = f"{database['HOST']}:{database['PORT']}/{database['NAME']}"
    return os.environ | {
        "DATABASE_URL": f"postgresql://{login}@{place}",
        "REDIS_URL": settings.SKYTRAIL_REDIS_URL,
        "SKYTRAIL_SECRET_KEY": SECRET_KEY,
        "PYTHONUNBUFFERED": "1",
    }


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code < 500
    except httpx.HTTPError:
        return False
