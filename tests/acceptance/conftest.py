"""The real processes: dispatcher, workers, beat and web, on the tests' own database and broker.

Tests that give a server trouble have one of their own: `installation_of_its_own`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import redis
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.db import connection
from pytest_django import DjangoDbBlocker

from skytrail.embedded.command import Command
from skytrail.embedded.ports import Ports
from tests.conftest import empty_tables
from tests.waiting import wait_until

#: Short, so that a lost worker is noticed within the patience of a test.
LEASE = 6

#: How long a process may take to be there, in seconds, on a machine that has much else to do.
TO_START = 80

PASSWORD = "a password for the tests"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "acceptance" in Path(item.fspath).parts:
            item.add_marker(pytest.mark.acceptance)


@dataclass
class Part:
    """One process of the installation."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """As a power cut would: the process, without its children."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """As a deployment would."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=40)


@dataclass
class Installation:
    """All parts, and what is needed to speak to them."""

    folder: Path
    environment: dict[str, str]
    url: str
    parts: dict[str, Part] = field(default_factory=dict)
    token: str = ""

    def start(self, name: str, *arguments: str, **environment: str) -> Part:
        """Starts one part: `start("worker", "--concurrency=2")`."""
        label = environment.pop("label", name)
        log = self.folder / f"{label}.log"
        # It ends with the tests, also when those are killed.
        command = Command(
            argv=(sys.executable, "-m", "skytrail.cli", name, *arguments),
            env=self.environment | environment,
        )
        with log.open("ab") as output:
            process = subprocess.Popen(
                command.argv, stdout=output, stderr=output, **command.popen_options()
            )
        part = self.parts[label] = Part(label, process, log)
        return part

    def start_worker(
        self, name: str = "worker", *, queues: str = "default", count: int = 2, **environment: str
    ) -> Part:
        """Starts a worker and waits until it has reported itself."""
        part = self.start(
            "worker",
            f"--name={name}",
            f"--queues={queues}",
            f"--concurrency={count}",
            label=name,
            **environment,
        )
        wait_until(
            lambda: self.ask(_HAS_REPORTED, f"{name}@%"),
            timeout=TO_START,
            what=f"{name} has reported itself",
        )
        return part

    def ask(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of a statement, straight from the database."""
        with psycopg.connect(self.environment["DATABASE_URL"], autocommit=True) as database:
            return database.execute(sql, parameters).fetchall()

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A REST call as the admin."""
        return httpx.request(
            method,
            f"{self.url}/api/v1/{path}",
            headers={"Authorization": f"Bearer {self.token}"} | options.pop("headers", {}),
            timeout=options.pop("timeout", 20),
            **options,
        )

    def save(self, name: str, tasks: list[dict[str, Any]], **fields: Any) -> None:
        """Saves a DAG over REST."""
        answer = self.call("POST", "dags", json={"name": name, "tasks": tasks, **fields})
        assert answer.status_code == 201, answer.text

    def trigger(self, name: str, **body: Any) -> str:
        """Triggers a run over REST; its run_id."""
        answer = self.call("POST", f"dags/{name}/runs", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["run_id"])

    def run(self, name: str, run_id: str) -> dict[str, Any]:
        """A run as REST shows it."""
        return dict(self.call("GET", f"dags/{name}/runs/{run_id}").json())

    def task(self, name: str, run_id: str, task_id: str) -> dict[str, Any]:
        """A task of a run as REST shows it."""
        return dict(self.call("GET", f"dags/{name}/runs/{run_id}/tasks/{task_id}").json())

    def log(self, name: str, run_id: str, task_id: str) -> str:
        """A task's log."""
        return self.call("GET", f"dags/{name}/runs/{run_id}/tasks/{task_id}/logs").text

    def output(self, name: str, run_id: str, task_id: str) -> Any:
        """What a task left."""
        answer = self.call("GET", f"dags/{name}/runs/{run_id}/tasks/{task_id}/output")
        assert answer.status_code == 200, answer.text
        return answer.json()["value"]

    def wait_for_end(self, name: str, run_id: str, timeout: float = 40) -> dict[str, Any]:
        """Waits until a run is over."""

        def over() -> dict[str, Any] | None:
            run = self.run(name, run_id)
            return run if "finished_at" in run else None

        found = wait_until(over, timeout=timeout, what=f"run {run_id} of {name} is over")
        assert found is not None
        return found

    def wait_for_state(self, name: str, run_id: str, task_id: str, state: str) -> dict[str, Any]:
        """Waits until a task is in a state."""

        def there() -> dict[str, Any] | None:
            task = self.task(name, run_id, task_id)
            return task if task["state"] == state else None

        found = wait_until(there, timeout=30, what=f"task {task_id} is {state}")
        assert found is not None
        return found

    def end(self) -> None:
        """Ends all parts, quickly."""
        for part in self.parts.values():
            part.process.terminate()
        for part in self.parts.values():
            try:
                part.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(part.process.pid, signal.SIGKILL)
                part.process.wait()


_HAS_REPORTED = "SELECT FROM skytrail_worker WHERE name LIKE %s AND stopped_at IS NULL"


def _environment(folder: Path, database_url: str, redis_url: str) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "DJANGO_SETTINGS_MODULE": "skytrail.settings",
        "SKYTRAIL_SECRET_KEY": "only for the tests",
        "SKYTRAIL_DATA_DIR": str(folder),
        "SKYTRAIL_LEASE_SECONDS": str(LEASE),
        "SKYTRAIL_STOP_GRACE_SECONDS": "1",
        "SKYTRAIL_HTTP_ALLOWED": "127.0.0.1",
        "SKYTRAIL_TASK_MODULES": "tests.acceptance.shop",
        "PYTHONUNBUFFERED": "1",
    }


@contextlib.contextmanager
def _started(environment: dict[str, str], folder: Path) -> Iterator[Installation]:
    """Web, dispatcher, beat and one worker of two processes, over servers that are prepared."""
    port = Ports().choose(purpose="web", option="--port", asked=0)
    made = Installation(folder, environment, f"http://127.0.0.1:{port}")
    try:
        made.start("web", f"--port={port}")
        made.start("dispatcher")
        made.start("beat")
        made.start_worker()
        wait_until(lambda: _answers(made.url), timeout=TO_START, what="web answers")
        answer = httpx.post(
            f"{made.url}/api/v1/auth/token",
            json={"username": "admin", "password": PASSWORD},
            timeout=20,
        )
        made.token = answer.json()["access_token"]
        yield made
    finally:
        made.end()
        for part in made.parts.values():
            print(f"--- {part.name}\n{part.log.read_text()[-3000:]}")  # noqa: T201  # shown on failure


@pytest.fixture(scope="module")
def installation(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    """A running installation: web, dispatcher, beat and one worker of two processes."""
    with (
        django_db_blocker.unblock(),
        installation_beside(
            tmp_path_factory.mktemp("installation"), redis_url=django_settings.SKYTRAIL_REDIS_URL
        ) as made,
    ):
        yield made


@contextlib.contextmanager
def installation_beside(folder: Path, *, redis_url: str, **settings: str) -> Iterator[Installation]:
    """One in the tests' own database, so that tests can look into it, over any Redis."""
    empty_tables()
    redis.Redis.from_url(redis_url).flushdb()
    User.objects.create_superuser("admin", password=PASSWORD)
    database = connection.settings_dict
    login = f"{database['USER']}:{database['PASSWORD']}"
    place = f"{database['HOST']}:{database['PORT']}/{database['NAME']}"
    environment = _environment(folder, f"postgresql://{login}@{place}", redis_url) | settings
    try:
        with _started(environment, folder) as made:
            yield made
    finally:
        empty_tables()


@contextlib.contextmanager
def installation_of_its_own(
    folder: Path, *, database_url: str, redis_url: str, **settings: str
) -> Iterator[Installation]:
    """The same over servers that nobody else needs; the database is empty, and gets its tables."""
    environment = _environment(folder, database_url, redis_url) | settings
    for command in (["migrate", "--verbosity=0"], ["skytrail_ensure_admin"]):
        subprocess.run(
            [sys.executable, "-m", "django", *command],
            env=environment | {"SKYTRAIL_ADMIN_PASSWORD": PASSWORD},
            check=True,
            timeout=TO_START,
        )
    with _started(environment, folder) as made:
        yield made


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False
