"""Questions to people: asked once a try, answered once, and heard at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from runs_app.actions.approvals import (
    AlreadyDecided,
    NobodyWaits,
    NotAsked,
    UnknownOption,
    decide,
)
from runs_app.actions.cancellation import cancel_run
from runs_app.actions.rerunning import clear
from runs_app.actions.waking import wake
from runs_app.domain.clearing import Selection
from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Outcome
from runs_app.models import Approval, DagRun, Pool, TaskRun
from runs_app.selectors.invariants.examining import Scope, examine
from runs_app.selectors.invariants.terms import NO_TOLERANCE
from tests.conveyor import Conveyor
from tests.factories import Graph, save_dag, start_run, states, task
from tests.workers.calls import for_real

pytestmark = pytest.mark.usefixtures("committing")

GRAPH: Graph = {"ask": [], "publish": ["ask"]}


def asked(conveyor: Conveyor, **fields: Any) -> DagRun:
    """A run that waits for an answer."""
    conveyor.script = for_real
    question = {"type": "approval", "subject": "Publish {{ run_id }}?", **fields}
    run = start_run(save_dag(GRAPH, tasks={"ask": question}))
    conveyor.run()
    return run


def choose(choice: str, *, note: str = "", username: str = "") -> None:
    approval = Approval.objects.latest("requested_at")
    decide(approval, choice=choice, note=note, actor="user:bob", username=username)


def end_of(run: DagRun) -> str:
    run.refresh_from_db()
    return run.state


def test_it_sleeps_until_somebody_answers_and_goes_on_at_once(conveyor: Conveyor) -> None:
    run = asked(conveyor)
    assert states(run) == {"ask": "deferred", "publish": "waiting"}
    approval = Approval.objects.get()
    assert approval.subject == f"Publish {run.run_id}?"
    assert approval.is_pending
    choose("Approve", note="looks fine")
    conveyor.run()
    assert states(run) == {"ask": "success", "publish": "success"}
    assert task(run, "ask").attempt == 1, "it was one try all along"
    assert task(run, "ask").outputs.get().value == {
        "choice": "Approve",
        "by": "user:bob",
        "note": "looks fine",
    }


@pytest.mark.parametrize(
    ("on_reject", "state", "publish", "run_state"),
    [("fail", "failed", "upstream_failed", "failed"), ("skip", "skipped", "skipped", "success")],
)
def test_a_rejection_fails_or_skips(
    conveyor: Conveyor, on_reject: str, state: str, publish: str, run_state: str
) -> None:
    run = asked(conveyor, on_reject=on_reject)
    choose("Reject", note="too early")
    conveyor.run()
    assert states(run) == {"ask": state, "publish": publish}
    assert end_of(run) == run_state
    assert "too early" in task(run, "ask").attempts.latest("epoch").message


def test_only_the_first_answer_counts(conveyor: Conveyor) -> None:
    asked(conveyor)
    choose("Approve")
    with pytest.raises(AlreadyDecided, match="user:bob has chosen 'Approve' already"):
        choose("Reject")


def test_an_option_that_is_not_there(conveyor: Conveyor) -> None:
    asked(conveyor)
    with pytest.raises(UnknownOption) as refused:
        choose("aprove")
    assert "did you mean 'Approve'" in refused.value.problems[0].message


def test_it_may_be_for_some_to_decide(conveyor: Conveyor) -> None:
    asked(conveyor, assigned_users=["carol"])
    with pytest.raises(NotAsked, match="carol"):
        choose("Approve", username="bob")
    choose("Approve", username="carol")


def test_an_answer_that_comes_while_it_is_falling_asleep_is_heard(conveyor: Conveyor) -> None:
    def answered_meanwhile(execution: Execution) -> Outcome:
        outcome = for_real(execution)
        if execution.task_id == "ask" and not Approval.objects.exclude(choice=None).exists():
            choose("Approve")
        return outcome

    conveyor.script = answered_meanwhile
    question = {"type": "approval", "subject": "?"}
    run = start_run(save_dag(GRAPH, tasks={"ask": question}))
    conveyor.run()
    assert states(run)["ask"] == "deferred"
    wake()
    conveyor.run()
    assert end_of(run) == "success"


def time_is_up() -> None:
    TaskRun.objects.filter(state="deferred").update(
        waiting_since=Now() - timedelta(hours=2), wake_at=Now() - timedelta(seconds=1)
    )
    wake()


def test_without_an_answer_in_time_it_fails(conveyor: Conveyor) -> None:
    run = asked(conveyor, wait_timeout_seconds=3600)
    time_is_up()
    conveyor.run()
    assert states(run) == {"ask": "failed", "publish": "upstream_failed"}


def test_or_falls_back_on_its_default(conveyor: Conveyor) -> None:
    run = asked(conveyor, wait_timeout_seconds=3600, default="Approve")
    time_is_up()
    conveyor.run()
    assert end_of(run) == "success"


def test_what_was_cancelled_waits_for_nobody(conveyor: Conveyor) -> None:
    run = asked(conveyor)
    cancel_run(run, actor="user:alice")
    assert end_of(run) == "cancelled", "at once: nothing runs"
    assert not Approval.objects.pending().exists()


def test_cleared_it_asks_anew(conveyor: Conveyor) -> None:
    run = asked(conveyor)
    old = Approval.objects.get()
    clear(run, Selection(), actor="user:alice")
    conveyor.run()
    assert states(run)["ask"] == "deferred"
    assert Approval.objects.count() == 2
    assert [approval.pk for approval in Approval.objects.pending()] != [old.pk]
    with pytest.raises(NobodyWaits):
        decide(old, choice="Approve", note="", actor="user:bob")


def test_it_holds_no_slot_while_it_sleeps(conveyor: Conveyor) -> None:
    Pool.objects.create(name="db", slots=1)
    run = asked(conveyor, pool="db")
    other = start_run(save_dag({"a": []}, name="other", tasks={"a": {"pool": "db"}}))
    conveyor.run()
    assert end_of(other) == "success"
    choose("Approve")
    conveyor.run()
    assert end_of(run) == "success"
    assert task(run, "ask").attempt == 1


def test_waiting_for_people_breaks_nothing(conveyor: Conveyor) -> None:
    run = asked(conveyor)
    assert examine(Scope(runs=[run.pk]), tolerance=NO_TOLERANCE).breaches == []
