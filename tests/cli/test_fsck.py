"""`skytrail fsck`."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now

from runs_app.actions import attempts
from runs_app.domain.outcomes import Outcome
from runs_app.models import DagRun, TaskRun, Transition
from tests.actions.test_cancelling import claimed
from tests.cli.conftest import CommandLine
from tests.conveyor import Conveyor
from tests.factories import save_dag, start_run
from tests.selectors.breaking import past_the_triggers

pytestmark = pytest.mark.usefixtures("committing")

ROW = {"a": [], "b": ["a"]}


def break_history(run: DagRun) -> None:
    with past_the_triggers():
        TaskRun.objects.filter(run=run, task_id="a").update(state="failed")


def test_a_sound_installation(command: CommandLine, conveyor: Conveyor) -> None:
    start_run(save_dag(ROW))
    conveyor.run()
    said = command("fsck")
    assert "1 runs with 2 task runs" in said.out
    assert "Everything holds" in said.out
    assert all(f"I{number} " in said.out for number in range(1, 11))


def test_a_broken_row_is_named_and_counted(command: CommandLine, conveyor: Conveyor) -> None:
    run = start_run(save_dag(ROW))
    conveyor.run()
    break_history(run)
    said = command("fsck", expect=1)
    assert run.run_id in said.out
    assert "it is failed at epoch 1, but history ends with success" in said.out
    answer = command("fsck", "-o", "json", expect=1).json
    assert [one["broken"] for one in answer["invariants"]] == [0] * 9 + [1]
    (breach,) = answer["breaches"]
    assert (breach["invariant"], breach["dag_id"], breach["task_id"]) == ("I10", "story", "a")
    assert breach["run_key"] == str(run.pk)
    assert "I10\tstory" in command("fsck", "-o", "plain", expect=1).out


def test_how_far_back(command: CommandLine, conveyor: Conveyor) -> None:
    run = start_run(save_dag(ROW))
    conveyor.run()
    break_history(run)
    DagRun.objects.update(finished_at=Now() - timedelta(days=3))
    command("fsck")
    command("fsck", "--since=2d")
    command("fsck", "--since=4d", expect=1)
    command("fsck", "--since=2026-01-01", expect=1)
    command("fsck", "--all", expect=1)


@pytest.mark.parametrize("since", ["yesterday", "1y", "99999999999999d"])
def test_a_time_that_is_none(command: CommandLine, since: str) -> None:
    said = command("fsck", f"--since={since}", "-o", "json", expect=3)
    assert said.error["code"] == "bad_since"


def test_repairing_says_what_was_done_and_what_is_left(
    command: CommandLine, conveyor: Conveyor
) -> None:
    still = start_run(save_dag(ROW, name="still"))
    attempts.finish(claimed(still, "a"), Outcome.success(), worker="worker@one")
    conveyor.lose_all()
    with past_the_triggers():
        Transition.objects.update(at=F("at") - timedelta(minutes=5))
        DagRun.objects.update(started_at=Now() - timedelta(minutes=5))
    DagRun.objects.update(queued_at=Now() - timedelta(minutes=5))
    answer = command("fsck", "--repair", "-o", "json").json
    (treated,) = answer["treated"]
    assert treated["done"] == "planned the run: queued 1"
    broken = start_run(save_dag(ROW))
    conveyor.run()
    break_history(broken)
    said = command("fsck", "--repair", expect=1)
    assert "history is never rewritten" in said.out
