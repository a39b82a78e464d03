"""`skytrail dags test` and `skytrail tasks test`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runs_app.models import DagRun
from tests.cli.conftest import CommandLine
from tests.factories import save_dag
from tests.waiting import wait_until

FETCH = {"id": "fetch", "type": "bash", "command": "echo rows=12 > $SKYTRAIL_OUTPUT"}
COUNT = {
    "id": "count",
    "type": "bash",
    "command": 'echo "there are $N"',
    "env": {"N": "{{ outputs.fetch.rows }}"},
    "depends_on": ["fetch"],
}


def _write(folder: Path, *tasks: dict[str, Any], **fields: Any) -> str:
    file = folder / "dag.json"
    file.write_text(json.dumps({"name": "story", "tasks": list(tasks), **fields}))
    return str(file)


def test_a_file_is_run_without_a_database(
    command: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    said = command("dags", "test", _write(tmp_path, FETCH, COUNT))
    assert "✓ success  fetch" in said.out
    assert "✓ success  the run" in said.out


def test_in_json_everything_is_said_at_the_end(command: CommandLine, tmp_path: Path) -> None:
    said = command("dags", "test", _write(tmp_path, FETCH, COUNT), "-o", "json").json
    assert said["state"] == "success"
    assert [(task["task_id"], task["output"]) for task in said["tasks"]] == [
        ("fetch", {"rows": 12}),
        ("count", None),
    ]
    assert said["tasks"][1]["log"] == "there are 12\n"


def test_a_run_that_fails_has_exit_code_1_and_shows_the_log(
    command: CommandLine, tmp_path: Path
) -> None:
    broken = {"id": "a", "type": "bash", "command": "echo it is broken; exit 3"}
    said = command(
        "dags", "test", _write(tmp_path, broken, {"id": "b", "depends_on": ["a"]}), expect=1
    )
    assert "it is broken" in said.out
    assert "✗ failed  a  the command ended with exit code 3" in said.out
    assert "upstream_failed  b  a is failed" in said.out


def test_the_wait_before_another_try_is_cut_short_and_said(
    command: CommandLine, tmp_path: Path
) -> None:
    flaky = {
        "id": "a",
        "type": "bash",
        "command": '[ "$SKYTRAIL_ATTEMPT" = 2 ]',
        "retries": 1,
        "retry_delay_seconds": 600,
    }
    said = command("dags", "test", _write(tmp_path, flaky), "--max-wait", "0.1")
    assert "again in 600 s, here in 0.1 s" in said.out


def test_parameters_and_a_date_can_be_given(command: CommandLine, tmp_path: Path) -> None:
    file = _write(
        tmp_path,
        {
            "id": "a",
            "type": "bash",
            "command": 'echo "$SKYTRAIL_PARAM_WHO $DAY"',
            "env": {"DAY": "{{ ds }}"},
        },
        params={"who": "world"},
    )
    said = command("dags", "test", file, "2026-01-31", "-c", '{"who": "you"}', "-o", "json").json
    assert said["tasks"][0]["log"] == "you 2026-01-31\n"
    refused = command("dags", "test", file, "-c", '{"whom": 1}', "-o", "json", expect=3)
    assert refused.error["problems"][0]["path"] == "conf.whom"


def test_tasks_can_be_left_out(command: CommandLine, tmp_path: Path) -> None:
    file = _write(tmp_path, FETCH, COUNT, {"id": "last", "depends_on": ["count"]}, {"id": "apart"})
    only = command("dags", "test", file, "-t", "count", "-o", "json").json["tasks"]
    assert {task["task_id"]: task["state"] for task in only} == {
        "fetch": "success",
        "count": "success",
        "last": "skipped",
        "apart": "skipped",
    }
    marked = command("dags", "test", file, "--mark-success", "co.*|fetch", "-o", "json").json
    assert [task["log"] for task in marked["tasks"]] == ["", "", "", ""]
    assert command("dags", "test", file, "-t", "cuont", expect=4).err.count("did you mean") == 1
    assert (
        "regular expression" in command("dags", "test", file, "--mark-success", "(", expect=3).err
    )


def test_a_definition_that_is_wrong_is_refused(command: CommandLine, tmp_path: Path) -> None:
    file = _write(tmp_path, {"id": "a", "type": "bsh"})
    assert "tasks[0].type" in command("dags", "test", file, expect=3).err


@pytest.mark.django_db
def test_a_saved_dag_is_run_by_its_name_and_nothing_is_written(command: CommandLine) -> None:
    save_dag({"a": [], "b": ["a"]})
    said = command("dags", "test", "story", "-o", "json").json
    assert [task["state"] for task in said["tasks"]] == ["success", "success"]
    assert not DagRun.objects.exists()
    command("dags", "test", "no_such_dag", expect=4)


def test_one_task_is_run_with_what_the_others_left(command: CommandLine, tmp_path: Path) -> None:
    file = _write(tmp_path, FETCH, COUNT)
    outputs = tmp_path / "outputs.json"
    outputs.write_text('{"fetch": {"rows": 3}}')
    said = command("tasks", "test", file, "count", "--outputs", str(outputs))
    assert said.out.startswith("there are 3\n✓ success  count")
    failed = command("tasks", "test", file, "count", expect=1)
    assert "the task 'fetch' has left no output" in failed.out
    outputs.write_text("[]")
    command("tasks", "test", file, "count", "--outputs", str(outputs), expect=3)


def test_one_instance_of_a_mapped_task(command: CommandLine, tmp_path: Path) -> None:
    each = {
        "id": "each",
        "type": "bash",
        "command": "echo $SKYTRAIL_MAP_N",
        "expand": {"n": [7, 8]},
    }
    file = _write(tmp_path, each)
    said = command("tasks", "test", file, "each", "--map-index", "1", "-o", "json").json
    assert said["tasks"][-1]["log"] == "8\n"
    assert (
        "no instance 2" in command("tasks", "test", file, "each", "--map-index", "2", expect=4).err
    )


def test_a_sensor_looks_again_and_again(command: CommandLine, tmp_path: Path) -> None:
    sensor = {
        "id": "wait",
        "type": "file_sensor",
        "path": str(tmp_path / "never"),
        "poke_interval_seconds": 60,
        "wait_timeout_seconds": 100,
    }
    said = command("dags", "test", _write(tmp_path, sensor), "--no-delay", expect=1)
    assert said.out.count("running  wait") == 3
    assert "again in 60 s, here at once" in said.out


def _started(folder: Path, file: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "skytrail.cli", "dags", "test", file],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", **environment},
    )


def test_ctrl_c_stops_what_is_under_way(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    file = _write(
        tmp_path,
        {"id": "a", "type": "bash", "command": f"touch {begun}; sleep 60"},
        {"id": "b", "depends_on": ["a"]},
    )
    trying = _started(tmp_path, file)
    wait_until(begun.exists, what="the task has begun")
    trying.send_signal(signal.SIGINT)
    out, _ = trying.communicate(timeout=30)
    assert trying.returncode == 1
    assert "cancelled  a  it was told to stop" in out
    assert "cancelled  b" in out


def test_code_that_will_not_stop_ends_the_process_as_it_would_a_workers(tmp_path: Path) -> None:
    (tmp_path / "stubborn.py").write_text(
        "import time\n"
        "def work():\n"
        "    while True:\n"
        "        try:\n"
        "            open('begun', 'w').close()\n"
        "            time.sleep(60)\n"
        "        except BaseException:\n"
        "            pass\n"
    )
    file = _write(tmp_path, {"id": "a", "type": "python", "callable": "stubborn.work"})
    trying = _started(tmp_path, file, SKYTRAIL_STOP_GRACE_SECONDS="0")
    wait_until((tmp_path / "begun").exists, what="the task has begun")
    trying.send_signal(signal.SIGINT)
    out, _ = trying.communicate(timeout=30)
    assert trying.returncode == -signal.SIGKILL
    assert "a did not stop when told to (cancelled)" in out
