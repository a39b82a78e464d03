"""`skytrail dags`."""

from __future__ import annotations

import io
import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dags_app.models import Dag, DagVersion
from runs_app.actions.scheduling import tick
from runs_app.models import DagRun
from skytrail.database.clock import database_now
from tests.cli.conftest import CommandLine
from tests.factories import document, save_dag

pytestmark = pytest.mark.django_db

ROW = {"fetch": [], "report": ["fetch"]}


def written(folder: Path, definition: Any) -> str:
    path = folder / "dag.json"
    path.write_text(definition if isinstance(definition, str) else json.dumps(definition))
    return str(path)


def test_none_yet_says_how_to_make_one(command: CommandLine) -> None:
    assert "skytrail dags save FILE" in command("dags", "list").out
    assert command("dags", "list", "-o", "json").json == []


def test_a_list_in_every_format(command: CommandLine) -> None:
    save_dag(ROW, name="a", schedule="@daily", tags=["x"])
    save_dag(ROW, name="b")
    assert "@daily" in command("dags", "list").out or "0 0 * * *" in command("dags", "list").out
    assert [row["dag_id"] for row in command("dags", "list", "-o", "json").json] == ["a", "b"]
    assert [row["dag_id"] for row in command("dags", "list", "--tag=x", "-o", "json").json] == ["a"]
    lines = command("dags", "list", "-o", "plain").out.splitlines()
    assert [line.split("\t")[0] for line in lines] == ["a", "b"]


def test_a_definition_is_checked_without_being_saved(command: CommandLine, tmp_path: Path) -> None:
    said = command("dags", "validate", written(tmp_path, document(ROW)), "-o", "json")
    assert said.json == {"name": "story", "tasks": 2, "valid": True}
    assert not Dag.objects.exists()


def test_every_problem_of_a_definition_is_said_with_its_place(
    command: CommandLine, tmp_path: Path
) -> None:
    broken = document({"a": ["b"], "b": ["a"]}, cron="99 * * * *", tasks={"b": {"retires": 1}})
    said = command("dags", "validate", written(tmp_path, broken), expect=3)
    assert "cron" in said.err
    assert "did you mean 'retries'" in said.err
    assert "a → b → a" in said.err or "b → a → b" in said.err
    said = command("dags", "validate", written(tmp_path, broken), "-o", "json", expect=3)
    assert {problem["path"] for problem in said.error["problems"]} >= {"cron", "tasks[1].retires"}


@pytest.mark.parametrize("text", ["{", "[1", '{"a": 1, "a": 2}', "\x00", "not json"])
def test_what_is_no_json_is_refused_with_its_place(
    command: CommandLine, tmp_path: Path, text: str
) -> None:
    said = command("dags", "save", written(tmp_path, text), expect=3)
    assert said.err.startswith("✗")
    assert "Traceback" not in said.err
    assert not Dag.objects.exists()


def test_a_file_that_is_not_there_is_named(command: CommandLine) -> None:
    assert "nowhere.json" in command("dags", "save", "nowhere.json", expect=3).err


def test_a_definition_from_standard_input(
    command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(json.dumps(document(ROW)).encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert command("dags", "save", "-", "-o", "json").json["new_version"] is True


def test_saving_again_makes_a_version_only_when_something_changed(
    command: CommandLine, tmp_path: Path
) -> None:
    same = written(tmp_path, document(ROW))
    assert command("dags", "save", same, "-o", "json").json["version"] == 1
    again = command("dags", "save", same, "-o", "json").json
    assert (again["version"], again["new_version"]) == (1, False)
    other = written(tmp_path, document({**ROW, "mail": ["report"]}))
    assert command("dags", "save", other, "-o", "json").json["version"] == 2
    assert DagVersion.objects.get(number=2).author.startswith("cli:")


def test_one_dag_with_its_tasks(command: CommandLine) -> None:
    save_dag(ROW, description="émoji 🚀 and עברית")
    said = command("dags", "show", "story")
    assert "🚀" in said.out
    assert "report" in said.out
    assert command("dags", "show", "story", "-o", "json").json["spec"]["tasks"][1]["id"] == "report"


def test_a_dag_that_is_not_there(command: CommandLine) -> None:
    for verb in ("show", "trigger", "pause", "resume"):
        assert "nothing" in command("dags", verb, "nothing", expect=4).err


def test_pausing_and_resuming(command: CommandLine) -> None:
    save_dag(ROW, schedule="@hourly")
    assert command("dags", "pause", "story", "-o", "json").json["is_paused"] is True
    assert Dag.objects.get().paused
    said = command("dags", "resume", "story", "-o", "json").json
    assert (said["is_paused"], bool(said["next_run_at"])) == (False, True)


def test_triggering(command: CommandLine) -> None:
    save_dag(ROW, params={"day": {"type": "integer", "default": 1}})
    said = command(
        *("dags", "trigger", "story", "--conf", '{"day": 2}', "--run-id", "mine"),
        *("--logical-date", "2026-01-31", "-o", "json"),
    ).json
    assert (said["run_id"], said["conf"]) == ("mine", {"day": 2})
    assert DagRun.objects.get().logical_date is not None


@pytest.mark.parametrize("conf", ['{"day": "x"}', '{"dya": 1}', "[1]", "{"])
def test_a_conf_that_cannot_be_used_starts_nothing(command: CommandLine, conf: str) -> None:
    save_dag(ROW, params={"day": {"type": "integer", "default": 1}})
    said = command("dags", "trigger", "story", "--conf", conf, expect=3)
    assert said.err.startswith("✗")
    assert not DagRun.objects.exists()


def test_a_run_id_that_is_taken(command: CommandLine) -> None:
    save_dag(ROW)
    command("dags", "trigger", "story", "--run-id", "mine")
    said = command("dags", "trigger", "story", "--run-id", "mine", "-o", "json", expect=5)
    assert said.error["code"] == "run_exists"


def test_wrong_usage(command: CommandLine) -> None:
    assert "No such command" in command("dags", "explode", expect=2).err
    assert "--logical-date" in command("dags", "trigger", "x", "-l", "yesterday", expect=2).err


# ------------------------------------------------------------------- when it runs


def held_back(**fields: Any) -> Dag:
    """A paused DAG whose last run was for a time three hours ago."""
    dag = save_dag(ROW, cron="0 * * * *", paused=True, **fields)
    last = database_now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
    Dag.objects.filter(pk=dag.pk).update(last_logical_date=last)
    return dag


def test_the_next_executions_are_shown_with_their_offset(command: CommandLine) -> None:
    save_dag(ROW, cron="30 6 * * *", timezone="Asia/Kathmandu")
    rows = command("dags", "next-execution", "story", "-n", "3", "-o", "json").json
    assert len(rows) == 3
    assert all(row["local_date"].endswith("T06:30:00+05:45") for row in rows)
    assert "+05:45" in command("dags", "next-execution", "story").out


def test_resuming_can_be_asked_about_first(command: CommandLine) -> None:
    dag = held_back(catchup=True)
    preview = command("dags", "resume", "story", "--dry-run", "-o", "json").json
    assert preview["count"] == 3
    assert len(preview["runs"]) == 3
    assert "3" in command("dags", "resume", "story", "--dry-run").out
    dag.refresh_from_db()
    assert dag.paused
    command("dags", "resume", "story", "--yes")
    dag.refresh_from_db()
    assert not dag.paused


def test_whoever_looks_on_is_asked_before_many_runs_are_started(
    command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    dag = held_back(catchup=True)
    monkeypatch.setattr(sys, "stdin", Typed("n\n"))
    assert "Resume story?" in command("dags", "resume", "story", expect=1).err
    dag.refresh_from_db()
    assert dag.paused
    monkeypatch.setattr(sys, "stdin", Typed("y\n"))
    command("dags", "resume", "story")
    dag.refresh_from_db()
    assert not dag.paused


def test_ticks_that_were_passed_over_are_listed(command: CommandLine) -> None:
    dag = save_dag(ROW, cron="0 * * * *", catchup=True, overlap_policy="skip")
    assert "None was passed over" in command("dags", "skipped-ticks", "story").out
    late = database_now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
    Dag.objects.filter(pk=dag.pk).update(next_run_at=late)
    tick()
    rows = command("dags", "skipped-ticks", "story", "-o", "json").json
    assert {row["reason"] for row in rows} == {"a run had not ended"}
    assert len(rows) == 3


class Typed(io.StringIO):
    """What somebody types."""

    def isatty(self) -> bool:
        return True
