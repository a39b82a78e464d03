"""`skytrail runs` and `skytrail tasks`."""

from __future__ import annotations

import pytest

from runs_app.actions import attempts, logs
from runs_app.domain.outcomes import Outcome
from runs_app.models import DagRun
from tests.actions.test_cancelling import claimed
from tests.cli.conftest import CommandLine
from tests.conveyor import Conveyor
from tests.factories import save_dag, start_run, states

pytestmark = pytest.mark.usefixtures("committing")

ROW = {"fetch": [], "report": ["fetch"]}


def test_none_yet_says_how_to_start_one(command: CommandLine) -> None:
    assert "skytrail dags trigger DAG" in command("runs", "list").out


def test_a_list_newest_first_and_filtered(command: CommandLine) -> None:
    dag = save_dag(ROW)
    first, second = start_run(dag), start_run(dag)
    start_run(save_dag(ROW, name="other"))
    listed = command("runs", "list", "story", "-o", "json").json
    assert [row["run_id"] for row in listed] == [second.run_id, first.run_id]
    assert len(command("runs", "list", "-o", "json").json) == 3
    assert command("runs", "list", "--state=failed", "-o", "json").json == []
    assert len(command("runs", "list", "--limit=1", "-o", "plain").out.splitlines()) == 1


def test_a_state_that_does_not_exist_is_refused_with_those_that_do(command: CommandLine) -> None:
    assert "'cancelling'" in command("runs", "list", "--state=broken", expect=2).err


def test_one_run_with_its_tasks_and_what_went_wrong(command: CommandLine) -> None:
    run = start_run(save_dag(ROW))
    attempts.finish(
        claimed(run, "fetch"), Outcome.failed("no such [table]", reason="exception"), worker="w"
    )
    said = command("runs", "show", "story", run.run_id)
    assert "no such [table]" in said.out
    tasks = command("runs", "show", "story", run.run_id, "-o", "json").json["tasks"]
    assert [task["task_id"] for task in tasks] == ["fetch", "report"]


def test_cancelling_once_and_twice(command: CommandLine) -> None:
    run = start_run(save_dag(ROW))
    said = command("runs", "cancel", "story", run.run_id, "-o", "json")
    assert said.json["state"] == "cancelled"
    again = command("runs", "cancel", "story", run.run_id, "-o", "json", expect=5)
    assert again.error["code"] == "run_has_ended"


def test_clearing_says_first_what_it_would_do(command: CommandLine, conveyor: Conveyor) -> None:
    run = start_run(save_dag(ROW))
    conveyor.run()
    would = command("runs", "clear", "story", run.run_id, "-t", "report", "--dry-run", "-o", "json")
    assert [row["task_id"] for row in would.json] == ["report"]
    assert states(run) == {"fetch": "success", "report": "success"}
    command("runs", "clear", "story", run.run_id, "-t", "report")
    conveyor.run()
    assert states(run) == {"fetch": "success", "report": "success"}
    assert DagRun.objects.get().state == "success"


def test_a_run_that_is_not_there(command: CommandLine) -> None:
    save_dag(ROW)
    for verb in ("show", "cancel", "clear"):
        assert "nothing" in command("runs", verb, "story", "nothing", expect=4).err


def test_the_log_of_a_task(command: CommandLine) -> None:
    run = start_run(save_dag(ROW))
    execution = claimed(run, "fetch")
    for sequence, text in enumerate(["[bold] hello\n", "world\n"]):
        logs.append(
            task_run_id=execution.task_run_id, epoch=execution.epoch, sequence=sequence, text=text
        )
    said = command("tasks", "logs", "story", run.run_id, "fetch")
    assert said.out == "[bold] hello\nworld\n"
    assert command("tasks", "logs", "story", run.run_id, "fetch", "-o", "json").json["log"] == (
        "[bold] hello\nworld\n"
    )


def test_following_a_log_ends_with_the_task(command: CommandLine, conveyor: Conveyor) -> None:
    run = start_run(save_dag(ROW))
    conveyor.run()
    assert command("tasks", "logs", "story", run.run_id, "fetch", "--follow").out == ""


def test_waiting_shows_each_step_and_how_it_ended(
    command: CommandLine, conveyor: Conveyor, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_dag(ROW)
    # What happens while somebody waits: here it happens whenever the run is looked at.
    monkeypatch.setattr(
        "skytrail.cli.progress.time.sleep",
        lambda _: conveyor.deliver_one() if conveyor.messages else None,
    )
    said = command("dags", "trigger", "story", "--wait")
    assert said.out.index("success  fetch") < said.out.index("success  report")
    assert said.out.endswith("success  the run\n")


def test_who_stops_waiting_is_told_that_the_run_goes_on(
    command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_dag(ROW)

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("skytrail.cli.progress.time.sleep", interrupt)
    said = command("dags", "trigger", "story", "--wait", expect=1)
    assert "skytrail runs show story" in said.err
