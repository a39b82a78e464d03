"""`skytrail.testing.run_dag`: what a test of a DAG can say and see."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dags_app.domain.params import BadConf
from dags_app.domain.parse import BadDefinition
from skytrail.sdk import Fail, Skip
from skytrail.testing import run_dag
from skytrail.testing.running import NoSuchTask, NotADate, NotDownstream

FETCH = {"id": "fetch", "type": "bash", "command": "exit 1", "retries": 2}
COUNT = {
    "id": "count",
    "type": "bash",
    "command": 'echo "$DAY: $N"; echo "$N" > "$SKYTRAIL_OUTPUT"',
    "env": {"N": "{{ outputs.fetch.rows }}", "DAY": "{{ ds }}"},
    "depends_on": ["fetch"],
}
REPORT = {"name": "report", "params": {"day": "today"}, "tasks": [FETCH, COUNT]}


def test_a_definition_is_run_with_what_its_tasks_would_have_left() -> None:
    result = run_dag(REPORT, logical_date="2026-01-31", outputs={"fetch": {"rows": 12}})
    assert result.state == "success"
    assert result.states == {"fetch": "success", "count": "success"}
    assert result["count"].output == 12
    assert result["count"].log == "2026-01-31: 12\n"
    assert result["count"].error is None


def test_what_went_wrong_can_be_asked_for() -> None:
    result = run_dag(REPORT)
    assert result.state == "failed"
    assert result["fetch"].attempts == 3
    assert result["fetch"].error == "the command ended with exit code 1"
    assert result["count"].state == "upstream_failed"
    assert "fetch failed: the command ended with exit code 1" in repr(result)


def test_what_a_task_would_have_raised_can_be_given() -> None:
    skipped = run_dag(REPORT, outputs={"fetch": Skip("nothing new")})
    assert skipped.states == {"fetch": "skipped", "count": "skipped"}
    failed = run_dag(REPORT, outputs={"fetch": Fail("gone for good")})
    assert (failed["fetch"].attempts, failed["fetch"].error) == (1, "gone for good")
    broken = run_dag(REPORT, outputs={"fetch": ValueError("no rows")})
    assert (broken["fetch"].attempts, broken["fetch"].error) == (3, "ValueError: no rows")


def test_files_of_each_kind_are_run(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"name": "a", "tasks": [{"id": "one"}]}))
    (tmp_path / "b.yaml").write_text("name: b\ntasks:\n  - id: one\n")
    (tmp_path / "tried_file.py").write_text(
        "from skytrail.sdk import DAG, Empty\n"
        "with DAG('c'): Empty('one')\n"
        "with DAG('d'): Empty('one')\n"
    )
    for file, name in [("a.json", "a"), ("b.yaml", "b"), ("tried_file.py::d", "d")]:
        result = run_dag(tmp_path / file)
        assert (result.dag_id, result.states) == (name, {"one": "success"})


def test_a_branch_goes_where_the_test_says() -> None:
    branch = {"id": "decide", "type": "branch", "callable": "no.such"}
    dag = {
        "name": "fork",
        "tasks": [branch, *({"id": name, "depends_on": ["decide"]} for name in ("left", "right"))],
    }
    result = run_dag(dag, outputs={"decide": "left"})
    assert result.states == {"decide": "success", "left": "success", "right": "skipped"}
    with pytest.raises(NotDownstream, match="'up'"):
        run_dag(dag, outputs={"decide": ["up"]})


def test_a_short_circuit_goes_on_or_not_as_the_test_says() -> None:
    gate = {"id": "gate", "type": "short_circuit", "callable": "no.such"}
    dag = {"name": "gated", "tasks": [gate, {"id": "work", "depends_on": ["gate"]}]}
    assert run_dag(dag, outputs={"gate": True})["work"].state == "success"
    assert run_dag(dag, outputs={"gate": False})["work"].state == "skipped"


def test_an_approval_is_answered_by_its_subject() -> None:
    dag = {"name": "ask", "tasks": [{"id": "ask", "type": "approval", "subject": "Go on?"}]}
    assert run_dag(dag, answers={"Go on?": "Approve"}).state == "success"
    assert run_dag(dag, answers={"Go on?": "Reject"}).state == "failed"
    assert "none of the options: Approve, Reject" in str(run_dag(dag, answers={"Go on?": "yes"}))


def test_a_mapped_task_has_its_instances() -> None:
    each = {
        "id": "each",
        "type": "bash",
        "command": "echo $SKYTRAIL_MAP_N > $SKYTRAIL_OUTPUT",
        "expand": {"n": [1, 2]},
    }
    result = run_dag({"name": "mapped", "tasks": [each]})
    assert result["each"].output == [1, 2]
    assert [(one.task_id, one.output) for one in result["each"].instances] == [
        ("each[0]", 1),
        ("each[1]", 2),
    ]


def test_of_nothing_to_map_there_is_an_empty_list() -> None:
    each = {"id": "each", "type": "bash", "command": "true", "expand": {"n": "{{ params.ns }}"}}
    count = {
        "id": "count",
        "type": "bash",
        "command": 'echo "$COUNT"',
        "depends_on": ["each"],
        "trigger_rule": "none_failed",
        "env": {"COUNT": "{{ outputs.each | length }}"},
    }
    result = run_dag({"name": "none", "params": {"ns": []}, "tasks": [each, count]})
    assert result.states == {"each": "skipped", "count": "success"}
    assert result["count"].log == "0\n"


def test_nothing_is_waited_for() -> None:
    wait = {"id": "wait", "type": "time_sensor", "until": "2026-12-24T00:00:00+00:00"}
    began = time.monotonic()
    result = run_dag({"name": "wait", "tasks": [wait]}, now=datetime(2026, 1, 1, tzinfo=UTC))
    assert result.state == "success"
    assert time.monotonic() - began < 60


def test_what_is_wrong_is_raised() -> None:
    with pytest.raises(BadDefinition):
        run_dag({"name": "empty", "tasks": []})
    with pytest.raises(BadConf):
        run_dag(REPORT, conf={"dya": 1})
    with pytest.raises(NotADate):
        run_dag(REPORT, logical_date="yesterday")
    with pytest.raises(NoSuchTask, match="did you mean 'fetch'"):
        run_dag(REPORT, outputs={"fetsh": 1})
    with pytest.raises(KeyError, match="did you mean 'count'"):
        run_dag(REPORT, outputs={"fetch": {"rows": 1}})["cuont"]
