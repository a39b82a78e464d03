"""Real DAGs through the real processes."""

from __future__ import annotations

import http.server
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.acceptance.conftest import Installation
from tests.waiting import wait_until

SHOP = "tests.acceptance.shop"


def test_the_document_of_the_readme_runs(installation: Installation) -> None:
    installation.save(
        "daily_report",
        [
            {"id": "fetch_data"},
            {"id": "transform", "depends_on": ["fetch_data"]},
            {"id": "send_report", "depends_on": ["transform"]},
        ],
        cron="0 9 * * *",
    )
    run = installation.wait_for_end("daily_report", installation.trigger("daily_report"))
    assert run["state"] == "success"


class _Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"orders": 3, "key": self.headers["Idempotency-Key"]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Quiet."""


@pytest.fixture
def page() -> Iterator[str]:
    """A small web server of its own."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/orders"
        server.shutdown()


def test_data_flows_through_tasks_of_every_type(installation: Installation, page: str) -> None:
    installation.save(
        "types",
        [
            {"id": "ask", "type": "http", "uri": page},
            {
                "id": "count",
                "type": "bash",
                "command": 'echo "$WORDS"; echo rows=$(echo $WORDS | wc -w) > $SKYTRAIL_OUTPUT',
                "env": {"WORDS": "{{ outputs.ask.json.orders }} of {{ params.shop }}"},
                "depends_on": ["ask"],
            },
            {
                "id": "decide",
                "type": "branch",
                "callable": f"{SHOP}.pick",
                "kwargs": {"rows": "{{ outputs.count.rows }}"},
                "depends_on": ["count"],
            },
            {"id": "few", "depends_on": ["decide"]},
            {
                "id": "many",
                "type": "celery",
                "task": f"{SHOP}.send_invoice",
                "args": ["alice"],
                "kwargs": {"amount": "{{ outputs.count.rows }}"},
                "depends_on": ["decide"],
            },
            {
                "id": "end",
                "trigger_rule": "none_failed_min_one_success",
                "depends_on": ["few", "many"],
            },
        ],
        params={"shop": {"type": "string", "default": "books"}},
    )
    run_id = installation.trigger("types", conf={"shop": "old books"})
    run = installation.wait_for_end("types", run_id)
    assert run["state"] == "success"
    assert installation.log("types", run_id, "count") == "3 of old books\n"
    assert installation.output("types", run_id, "count") == {"rows": 4}
    assert installation.output("types", run_id, "many") == {"customer": "alice", "amount": 4}
    states = {
        task["task_id"]: task["state"]
        for task in installation.call("GET", f"dags/types/runs/{run_id}/tasks").json()["results"]
    }
    assert states["few"] == "skipped"
    assert states["end"] == "success"


def test_a_retry_recovers(installation: Installation, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    installation.save(
        "flaky",
        [
            {
                "id": "try",
                "type": "python",
                "callable": f"{SHOP}.fail_until",
                "args": [str(tmp_path), 2],
                "retries": 3,
                "retry_delay_seconds": 0.2,
            },
            {"id": "after", "depends_on": ["try"]},
        ],
    )
    run_id = installation.trigger("flaky")
    assert installation.wait_for_end("flaky", run_id)["state"] == "success"
    task = installation.task("flaky", run_id, "try")
    assert task["attempt"] == 3
    assert [attempt["state"] for attempt in task["attempts"]] == ["failed", "failed", "success"]
    log = installation.log("flaky", run_id, "try")
    assert "RuntimeError: try 1 fails" in log
    assert "workers/" not in log, "our own frames tell users nothing"


def test_a_skip_is_no_failure(installation: Installation) -> None:
    installation.save(
        "skipping",
        [
            {"id": "bash", "type": "bash", "command": "exit 99"},
            {"id": "python", "type": "python", "callable": f"{SHOP}.nothing_today"},
            {"id": "after", "depends_on": ["bash"]},
        ],
    )
    run_id = installation.trigger("skipping")
    assert installation.wait_for_end("skipping", run_id)["state"] == "success"
    assert installation.task("skipping", run_id, "after")["state"] == "skipped"
    assert "no orders today" in installation.task("skipping", run_id, "python")["error"]["message"]


def test_a_log_can_be_read_while_it_is_written(installation: Installation, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    installation.save(
        "talking",
        [
            {
                "id": "talk",
                "type": "bash",
                "command": f"echo first; until [ -e {gate} ]; do sleep 0.05; done; echo last",
            }
        ],
    )
    run_id = installation.trigger("talking")
    path = f"{installation.url}/api/v1/dags/talking/runs/{run_id}/tasks/talk/logs?follow=true"
    login = {"Authorization": f"Bearer {installation.token}"}
    with httpx.stream("GET", path, headers=login, timeout=30) as answer:
        pieces = answer.iter_text()
        assert next(pieces) == "first\n"
        gate.touch()
        assert "".join(pieces) == "last\n"


def test_a_cancelled_run_leaves_no_process_behind(
    installation: Installation, tmp_path: Path
) -> None:
    tmp_path.chmod(0o777)
    command = f"sleep 1000 & echo $! > {tmp_path}/child; trap '' TERM; echo up; wait; sleep 1000"
    installation.save("endless", [{"id": "sleep", "type": "bash", "command": command}])
    run_id = installation.trigger("endless")
    wait_until((tmp_path / "child").exists, what="the task is at work")
    child = int(wait_until(lambda: (tmp_path / "child").read_text().strip()))
    assert psutil.pid_exists(child)
    assert installation.call("POST", f"dags/endless/runs/{run_id}/cancel").status_code == 200
    run = installation.wait_for_end("endless", run_id)
    assert run["state"] == "cancelled"
    wait_until(lambda: not _alive(child), what="the task's processes are gone")
    again = installation.call("POST", f"dags/endless/runs/{run_id}/cancel")
    assert again.status_code == 409


def test_python_code_is_cancelled_too(installation: Installation, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    task = {
        "id": "work",
        "type": "python",
        "callable": f"{SHOP}.work_long",
        "args": [str(tmp_path)],
    }
    installation.save("endless_python", [task])
    run_id = installation.trigger("endless_python")
    wait_until((tmp_path / "pid").exists, what="the task is at work")
    installation.call("POST", f"dags/endless_python/runs/{run_id}/tasks/work/cancel")
    run = installation.wait_for_end("endless_python", run_id)
    assert run["state"] == "failed"
    assert installation.task("endless_python", run_id, "work")["state"] == "cancelled"
    assert psutil.pid_exists(int((tmp_path / "pid").read_text())), "the pool process lives on"


def test_a_task_that_runs_too_long_is_ended(installation: Installation) -> None:
    installation.save(
        "slow",
        [
            {"id": "bash", "type": "bash", "command": "sleep 1000", "timeout_seconds": 0.5},
            {
                "id": "python",
                "type": "python",
                "callable": "time.sleep",
                "args": [1000],
                "timeout_seconds": 0.5,
            },
        ],
    )
    run_id = installation.trigger("slow")
    assert installation.wait_for_end("slow", run_id)["state"] == "failed"
    for task_id in ("bash", "python"):
        error = installation.task("slow", run_id, task_id)["error"]
        assert error["reason"] == "timeout"
        assert "longer than its time limit of 0.5 s" in error["message"]


def test_a_run_that_takes_too_long_is_stopped_and_fails(installation: Installation) -> None:
    tasks: list[dict[str, Any]] = [
        {"id": "endless", "type": "bash", "command": "sleep 1000"},
        {"id": "after", "depends_on": ["endless"]},
    ]
    installation.save("long_run", tasks, run_timeout_seconds=1)
    run_id = installation.trigger("long_run")
    run = installation.wait_for_end("long_run", run_id)
    assert (run["state"], run["timed_out"]) == ("failed", True)
    for task_id in ("endless", "after"):
        assert installation.task("long_run", run_id, task_id)["state"] == "cancelled"


def test_a_task_that_no_worker_takes_in_time_fails(installation: Installation) -> None:
    task = {"id": "alone", "queue": "nobody_serves_it", "queued_timeout_seconds": 1}
    installation.save("unserved", [task])
    run_id = installation.trigger("unserved")
    assert installation.wait_for_end("unserved", run_id)["state"] == "failed"
    error = installation.task("unserved", run_id, "alone")["error"]
    assert error["reason"] == "queued_timeout"
    assert "no worker took it" in error["message"]


def test_what_cannot_be_found_says_so(installation: Installation) -> None:
    installation.save(
        "missing",
        [
            {"id": "command", "type": "bash", "command": "no_such_command"},
            {"id": "callable", "type": "python", "callable": "no_such_module.function"},
            {"id": "task", "type": "celery", "task": "tests.acceptance.shop.send_invoise"},
            {"id": "address", "type": "http", "uri": "http://169.254.169.254/latest"},
        ],
    )
    run_id = installation.trigger("missing")
    assert installation.wait_for_end("missing", run_id)["state"] == "failed"
    messages = {
        name: installation.task("missing", run_id, name)["error"]["message"]
        for name in ("command", "callable", "task", "address")
    }
    assert "does not exist (exit code 127)" in messages["command"]
    assert "there is no module 'no_such_module'" in messages["callable"]
    assert "did you mean 'tests.acceptance.shop.send_invoice'" in messages["task"]
    assert "a private address" in messages["address"]


def test_parameters_are_never_executed(installation: Installation, tmp_path: Path) -> None:
    evil = f"\"; touch {tmp_path}/pwned; $(touch {tmp_path}/pwned) `touch {tmp_path}/pwned` ' 🐙"
    installation.save(
        "safe",
        [{"id": "say", "type": "bash", "command": 'printf %s "$SKYTRAIL_PARAM_WORD"'}],
    )
    run_id = installation.trigger("safe", conf={"word": evil})
    assert installation.wait_for_end("safe", run_id)["state"] == "success"
    assert installation.log("safe", run_id, "say") == evil
    assert not (tmp_path / "pwned").exists()


def test_a_task_sees_none_of_the_workers_secrets(installation: Installation) -> None:
    installation.save("curious", [{"id": "env", "type": "bash", "command": "env"}])
    run_id = installation.trigger("curious")
    installation.wait_for_end("curious", run_id)
    seen = installation.log("curious", run_id, "env")
    assert "SKYTRAIL_IDEMPOTENCY_KEY=" in seen
    for name in ("SKYTRAIL_SECRET_KEY", "DATABASE_URL", "REDIS_URL"):
        assert name not in seen
        assert os.environ.get(name, installation.environment[name]) not in seen


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
