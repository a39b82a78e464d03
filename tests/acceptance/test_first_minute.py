"""`skytrail up`, as somebody who has never seen it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.waiting import wait_until

CLI = [sys.executable, "-m", "skytrail.cli"]

REPORT = {
    "name": "daily_report",
    "tasks": [
        {"id": "fetch", "type": "bash", "command": "echo hello; echo rows=3 > $SKYTRAIL_OUTPUT"},
        {"id": "report", "depends_on": ["fetch"]},
    ],
}


class Up:
    """A running `skytrail up`, started in a folder of its own, with nothing set."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "up.log"
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"}
            and not name.startswith("SKYTRAIL_")
        }
        self.start()

    def start(self) -> None:
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [*CLI, "up", "--port=0", "--flower-port=0", "--concurrency=2"],
                cwd=self.folder,
                env=self.environment,
                stdout=output,
                stderr=output,
            )
        wait_until(self._is_up, timeout=60, what="Skytrail is up")

    def _is_up(self) -> bool:
        assert self.process.poll() is None or pytest.fail(self.log.read_text())
        return "Ctrl-C stops everything" in self.log.read_text()

    @property
    def url(self) -> str:
        found = re.search(r"Skytrail is up +(\S+)", self.log.read_text())
        assert found
        return found[1]

    def cli(self, *arguments: str, expect: int = 0) -> str:
        done = subprocess.run(
            [*CLI, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout + done.stderr

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=60)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    folder = tmp_path_factory.mktemp("first")
    running = Up(folder)
    yield running
    running.end()


def test_the_first_start_says_where_to_go_and_how_to_sign_in(up: Up) -> None:
    said = up.log.read_text()
    password = re.search(r"password (\S+) +\(shown only this once\)", said)
    assert password
    answer = httpx.post(
        f"{up.url}/api/v1/auth/token",
        json={"username": "admin", "password": password[1]},
        timeout=20,
    )
    assert answer.status_code == 200
    assert httpx.get(f"{up.url}/health", timeout=20).json()["status"] == "ok"


def test_a_dag_is_saved_triggered_and_watched_from_the_command_line(up: Up) -> None:
    (up.folder / "report.json").write_text(json.dumps(REPORT))
    up.cli("dags", "validate", "report.json")
    up.cli("dags", "save", "report.json")
    assert "success  the run" in up.cli("dags", "trigger", "daily_report", "--wait")
    run = json.loads(up.cli("runs", "list", "-o", "json"))[0]
    assert run["state"] == "success"
    assert "hello" in up.cli("tasks", "logs", "daily_report", run["run_id"], "fetch")
    assert "report" in up.cli("runs", "show", "daily_report", run["run_id"])


def test_exit_codes_tell_scripts_what_happened(up: Up) -> None:
    broken = {"name": "broken", "tasks": [{"id": "fail", "type": "bash", "command": "exit 3"}]}
    (up.folder / "broken.json").write_text(json.dumps(broken))
    up.cli("dags", "save", "broken.json")
    up.cli("dags", "trigger", "broken", "--wait", expect=1)
    up.cli("dags", "trigger", "--no-such-option", expect=2)
    (up.folder / "cycle.json").write_text('{"name": "x", "tasks": [{"id": "a", "retires": 1}]}')
    assert "did you mean 'retries'" in up.cli("dags", "validate", "cycle.json", expect=3)
    up.cli("dags", "show", "nothing", expect=4)
    run = json.loads(up.cli("runs", "list", "broken", "-o", "json"))[0]
    said = up.cli("runs", "cancel", "broken", run["run_id"], "-o", "json", expect=5)
    assert json.loads(said)["error"]["code"] == "run_has_ended"


def test_flower_is_behind_the_login(up: Up) -> None:
    answer = httpx.get(f"{up.url}/flower/", timeout=20)
    assert answer.status_code == 302
    assert "/admin/login/" in answer.headers["location"]


def test_no_password_stands_in_the_list_of_processes(up: Up) -> None:
    secrets = [file.read_text() for file in (up.folder / ".skytrail/secrets").iterdir()]
    assert len(secrets) >= 4
    for process in [psutil.Process(up.process.pid), *up.family()]:
        line = " ".join(process.cmdline())
        assert not [secret for secret in secrets if secret.strip() in line]


def test_a_second_one_in_the_same_folder_is_refused(up: Up) -> None:
    said = up.cli("up", "--port=0", expect=5)
    assert str(up.process.pid) in said


def test_ctrl_c_stops_everything_and_the_next_start_finds_everything(up: Up) -> None:
    family = up.family()
    assert len(family) > 8
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(timeout=60) == 0
    wait_until(lambda: not psutil.wait_procs(family, timeout=0)[1], what="all processes are gone")
    up.cli("dags", "list", expect=6)
    up.start()
    assert "shown only this once" not in up.log.read_text()
    assert "daily_report" in up.cli("dags", "list")


def test_killing_it_leaves_no_process_behind(up: Up) -> None:
    family = up.family()
    up.process.kill()
    up.process.wait()
    wait_until(lambda: not psutil.wait_procs(family, timeout=0)[1], timeout=30, what="all are gone")
