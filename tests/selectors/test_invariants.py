"""What must always hold: each breach is found, named, and told apart from what is under way."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.db.models.functions import Now

from dags_app.models import Dag
from runs_app import selectors
from runs_app.actions import attempts, repairing, rerunning
from runs_app.actions.admission import admit
from runs_app.actions.cancellation import cancel_run, cancel_task
from runs_app.actions.dispatching_steps import dispatch
from runs_app.domain.clearing import Selection
from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Outcome
from runs_app.models import Attempt, DagRun, Pool, RunType, TaskRun, Transition
from runs_app.selectors.invariants.examining import Scope, examine
from runs_app.selectors.invariants.terms import INVARIANTS, NO_TOLERANCE, Found
from tests.actions.test_cancelling import claimed
from tests.actions.test_recovering import let_the_lease_run_out
from tests.conveyor import Conveyor, Script, ends, failing
from tests.factories import Graph, save_dag, start_run, task
from tests.selectors.breaking import (
    past_the_triggers,
    without_constraint,
    without_index,
    without_trigger,
)

pytestmark = pytest.mark.usefixtures("committing")

ROW = {"a": [], "b": ["a"]}


def broken(**scope: datetime | list[object]) -> list[tuple[str, Found]]:
    """What is broken, nothing being under way: the invariant's name, and the row."""
    found = examine(Scope(**scope), tolerance=NO_TOLERANCE)  # type: ignore[arg-type]
    return [(breach.invariant.name, breach.found) for breach in found.breaches]


def names(**scope: datetime | list[object]) -> list[tuple[str, str, str]]:
    """The same in short: invariant, task, code."""
    return [(name, found.task_id, found.code) for name, found in broken(**scope)]


def finish(run: DagRun, task_id: str, outcome: Outcome | None = None) -> None:
    """The queued task is executed, and ends."""
    attempts.finish(claimed(run, task_id), outcome or Outcome.success(), worker="worker@one")


def done(conveyor: Conveyor) -> DagRun:
    """A run of two tasks that has gone well."""
    run = start_run(save_dag(ROW))
    conveyor.run()
    return run


def test_what_the_engine_does_breaks_nothing(conveyor: Conveyor) -> None:
    Pool.objects.create(name="db", slots=1)
    conveyor.script = ends(b=failing(), c=Outcome.skipped("nothing to do"))
    dag = save_dag(
        {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": ["c"], "f": ["a"]},
        tasks={"d": {"trigger_rule": "all_done"}, "f": {"pool": "db"}, "b": {"retries": 1}},
        max_active_runs=2,
    )
    runs = [start_run(dag) for _ in range(4)]
    conveyor.run()
    TaskRun.objects.filter(state="up_for_retry").update(wake_at=Now() + timedelta(hours=1))
    rerunning.clear(runs[0], Selection(task_ids=["c"]), actor="user:alice")
    conveyor.run()
    cancel_run(runs[0], actor="user:alice")
    conveyor.run()
    assert names() == []


def _expanding(count: int) -> Script:
    """Mapped tasks have so many instances; the second one of each fails, and so does `late`."""

    def script(execution: Execution) -> Outcome:
        if execution.is_expansion:
            return Outcome.expanded([{"n": index} for index in range(count)])
        if execution.map_index == 1 or execution.task_id == "late":
            return failing()
        return Outcome.success()

    return script


def test_mapped_tasks_cleared_and_expanded_anew_break_nothing(conveyor: Conveyor) -> None:
    graph: Graph = {"a": [], "b": ["a"], "join": ["b"], "early": ["b"], "c": ["join"]}
    rules = {
        "b": {"expand": {"n": "{{ outputs.a }}"}},
        "join": {"trigger_rule": "all_done"},
        "early": {"trigger_rule": "one_failed"},
    }
    run = start_run(save_dag(graph, tasks=rules))
    for count in (3, 1, 4):
        conveyor.script = _expanding(count)
        conveyor.run()
        assert names() == []
        rerunning.clear(run, Selection(task_ids=["b"]), actor="user:alice")
    conveyor.run()
    assert names() == []


def test_setup_teardown_and_short_circuits_break_nothing(conveyor: Conveyor) -> None:
    graph: Graph = {"make": [], "check": ["make"], "work": ["check"], "drop": ["make", "work"]}
    roles = {
        "make": {"setup": True},
        "check": {"type": "short_circuit", "value": "{{ 0 }}"},
        "drop": {"teardown": True},
    }
    conveyor.script = ends(check=Outcome.success(False, chosen=()))
    start_run(save_dag(graph, tasks=roles))
    conveyor.run()
    assert names() == []


def test_an_instance_that_is_ready_and_left_behind(conveyor: Conveyor) -> None:
    conveyor.script = _expanding(2)
    conveyor.held = {"b[0]"}
    rules = {"b": {"expand": {"n": [1, 2]}}}
    run = start_run(save_dag({"b": []}, tasks=rules))
    conveyor.run()
    row = TaskRun.objects.get(run=run, map_index=0)
    with past_the_triggers():
        TaskRun.objects.filter(pk=row.pk).update(state="waiting", epoch=0)
    assert ("I7", "b", "ready_task_waits") in names()


def test_every_state_on_the_way_breaks_nothing(conveyor: Conveyor) -> None:
    run = start_run(save_dag(ROW))
    assert names() == []
    execution = claimed(run, "a")
    assert names() == []
    cancel_task(task(run, "a"), actor="user:alice")
    assert names() == []
    attempts.finish(execution, failing(), worker="worker@one")
    dispatch(run.pk, actor="dispatcher")
    assert names() == []


# ------------------------------------------------------------ I1, I5: claims


def test_an_epoch_that_was_claimed_twice(conveyor: Conveyor) -> None:
    row = task(done(conveyor), "a")
    Transition.objects.create(
        run_id=row.run_id,
        task_run_id=row.pk,
        from_state="queued",
        to_state="running",
        epoch=1,
        reason="claimed",
        actor="worker@two",
    )
    assert ("I1", "a", "not_claimed_once") in names()


def test_an_execution_that_history_does_not_know(conveyor: Conveyor) -> None:
    row = task(done(conveyor), "a")
    Attempt.objects.create(
        task_run=row, epoch=7, number=1, worker="w", state="failed", finished_at=Now()
    )
    assert names() == [("I1", "a", "not_claimed_once"), ("I2", "a", "epoch_fell")]


def test_an_execution_that_has_no_end_though_its_task_has(conveyor: Conveyor) -> None:
    Attempt.objects.filter(task_run=task(done(conveyor), "a")).update(finished_at=None)
    assert names() == [("I1", "a", "execution_without_end")]


def test_a_task_that_was_started_before_its_upstream_had_succeeded() -> None:
    run = start_run(save_dag(ROW))
    row = task(run, "b")
    with past_the_triggers():
        TaskRun.objects.filter(pk=row.pk).update(state="queued", epoch=1)
        Transition.objects.create(
            run=run,
            task_run=row,
            from_state="waiting",
            to_state="queued",
            epoch=1,
            reason="r",
            actor="a",
        )
    ((name, found),) = broken()
    assert (name, found.task_id, found.code) == ("I5", "b", "started_too_early")
    assert "all_success" in found.problem
    assert "1 queued" in found.problem


def test_each_trigger_rule_is_judged_by_what_stood_then(conveyor: Conveyor) -> None:
    conveyor.script = ends(bad=failing(), off=Outcome.skipped("no"))
    upstream = ["good", "bad", "off"]
    rules = ["all_done", "one_success", "one_failed", "one_done", "none_skipped", "always"]
    graph: Graph = {name: [] for name in upstream} | dict.fromkeys(rules, upstream)
    start_run(save_dag(graph, tasks={rule: {"trigger_rule": rule} for rule in rules}))
    conveyor.run()
    assert names() == []


def test_what_was_rightly_started_stays_so_when_its_upstream_is_cleared(
    conveyor: Conveyor,
) -> None:
    run = start_run(save_dag(ROW))
    finish(run, "a")
    dispatch(run.pk, actor="dispatcher")
    rerunning.clear(run, Selection(task_ids=["a"], downstream=False), actor="user:alice")
    finish(run, "b")
    assert [code for _, _, code in names() if code == "started_too_early"] == []


# ------------------------------------------------- I2, I3, I10: history


def test_an_epoch_that_fell() -> None:
    run = start_run(save_dag(ROW))
    finish(run, "a")
    with past_the_triggers():
        TaskRun.objects.filter(run=run, task_id="a").update(epoch=0)
    found = names()
    assert ("I2", "a", "epoch_fell") in found
    assert ("I10", "a", "history_behind") in found


def test_a_final_state_that_was_left_without_a_clear(conveyor: Conveyor) -> None:
    row = task(done(conveyor), "a")
    for before, after in (("success", "queued"), ("queued", "success")):
        Transition.objects.create(
            run_id=row.run_id,
            task_run_id=row.pk,
            from_state=before,
            to_state=after,
            epoch=1,
            reason="by hand",
            actor="x",
        )
    assert names() == [("I3", "a", "final_state_left")]


def test_a_state_that_was_changed_past_history() -> None:
    run = start_run(save_dag(ROW))
    with past_the_triggers():
        TaskRun.objects.filter(run=run, task_id="a").update(
            state="failed", finished_at=Now(), published_at=Now()
        )
        DagRun.objects.filter(pk=run.pk).update(state="queued")
    found = [one for one in names() if one[0] == "I10"]
    assert found == [("I10", "", "history_behind"), ("I10", "a", "history_behind")]


def test_a_row_that_is_missing_in_history(conveyor: Conveyor) -> None:
    run = done(conveyor)
    with past_the_triggers():
        Transition.objects.filter(run=run, task_run=None, to_state="running").delete()
        Transition.objects.filter(task_run=task(run, "a"), to_state="running").delete()
    assert names() == [
        ("I1", "a", "not_claimed_once"),
        ("I10", "", "history_broken"),
        ("I10", "a", "history_broken"),
    ]


# ----------------------------------------------------- I4, I6: standing


def test_what_runs_without_a_lease() -> None:
    with without_constraint("skytrail_task_run", "task_run_leased_iff_running"):
        run = start_run(save_dag(ROW))
        claimed(run, "a")
        TaskRun.objects.filter(run=run).update(lease_expires_at=None)
        assert names() == [("I4", "", "constraint_missing"), ("I4", "a", "no_lease")]


def test_a_lease_that_ran_out_is_recoverys_for_a_while() -> None:
    run = start_run(save_dag(ROW))
    claimed(run, "a")
    let_the_lease_run_out()
    assert names() == []
    TaskRun.objects.filter(lease_expires_at__isnull=False).update(
        lease_expires_at=Now() - timedelta(hours=1)
    )
    assert names() == [("I4", "a", "lease_ran_out")]


def test_a_run_that_is_over_before_its_tasks(conveyor: Conveyor) -> None:
    run = start_run(save_dag(ROW))
    with past_the_triggers():
        DagRun.objects.filter(pk=run.pk).update(state="failed", finished_at=Now())
    found = [(name, task_id) for name, task_id, _ in names()]
    assert found == [("I6", "a"), ("I6", "b"), ("I10", "")]


def test_a_run_that_stays_when_its_tasks_are_over() -> None:
    run = start_run(save_dag({"a": []}))
    finish(run, "a")
    assert examine(Scope()).breaches == [], "its dispatch is under way"
    assert names() == [("I6", "", "run_outlives_tasks")]


def test_a_run_that_has_lost_tasks() -> None:
    run = start_run(save_dag(ROW))
    TaskRun.objects.filter(run=run, task_id="b").delete()
    assert names() == [("I6", "", "tasks_missing")]


# ---------------------------------------------------------- I7: moving


def test_a_ready_task_that_waits() -> None:
    run = start_run(save_dag(ROW))
    finish(run, "a")
    assert examine(Scope()).breaches == [], "its dispatch is under way"
    assert names() == [("I7", "b", "ready_task_waits")]


def test_a_task_that_should_have_been_settled() -> None:
    run = start_run(save_dag({"a": [], "b": ["a"], "c": ["b"], "d": []}))
    finish(run, "a", failing())
    assert names() == [("I7", "b", "task_not_settled"), ("I7", "c", "task_not_settled")]


def test_a_task_that_waits_for_a_slot_does_not_stand_still() -> None:
    pool = Pool.objects.create(name="db", slots=1)
    dag = save_dag({"a": [], "b": []}, tasks={"a": {"pool": "db"}, "b": {"pool": "db"}})
    run = start_run(dag)
    dispatch(run.pk, actor="dispatcher")
    assert names() == []
    Pool.objects.filter(pk=pool.pk).update(slots=2)
    assert names() == [("I7", "b", "slot_is_free")]
    admit()
    assert names() == []


def test_a_task_that_waits_for_a_slot_of_no_pool() -> None:
    Pool.objects.create(name="db", slots=0)
    run = start_run(save_dag(ROW, tasks={"a": {"pool": "db"}}))
    dispatch(run.pk, actor="dispatcher")
    Pool.objects.all().delete()
    assert names() == [("I7", "a", "no_such_pool")]


def test_a_queued_task_whose_message_could_not_be_sent() -> None:
    run = start_run(save_dag(ROW))
    TaskRun.objects.filter(run=run, task_id="a").update(published_at=None)
    assert names() == [("I7", "a", "never_sent")]


def test_a_retry_that_nobody_took_up() -> None:
    run = start_run(save_dag(ROW, tasks={"a": {"retries": 1, "retry_delay_seconds": 600}}))
    finish(run, "a", failing())
    assert names() == []
    TaskRun.objects.filter(run=run, task_id="a").update(wake_at=Now() - timedelta(minutes=1))
    assert names() == [("I7", "a", "overslept")]


def test_a_run_that_waits_though_its_dag_has_room() -> None:
    dag = save_dag(ROW, max_active_runs=1)
    start_run(dag)
    start_run(dag)
    assert names() == []
    Dag.objects.update(max_active_runs=2)
    assert names() == [("I7", "", "run_may_start")]


# ---------------------------------------------------- I8, I9: limits, dates


def test_a_pool_that_is_overdrawn_and_one_that_was_lowered() -> None:
    pool = Pool.objects.create(name="db", slots=2)
    dag = save_dag({"a": [], "b": []}, tasks={"a": {"pool": "db"}, "b": {"pool": "db"}})
    run = start_run(dag)
    dispatch(run.pk, actor="dispatcher")
    Pool.objects.filter(pk=pool.pk).update(slots=1)
    ((name, lowered),) = broken()
    assert (name, lowered.code, lowered.is_warning) == ("I8", "pool_lowered", True)
    assert examine(Scope()).is_clean
    start_run(save_dag({"c": []}, name="other", tasks={"c": {"pool": "db"}}))
    TaskRun.objects.filter(task_id="c").update(ready_at=Now())
    with past_the_triggers():
        _let_in("c")
    codes = {found.code for _, found in broken() if found.code.startswith("pool")}
    assert codes == {"pool_overdrawn"}


def _let_in(task_id: str) -> None:
    """As if admission had not counted."""
    row = TaskRun.objects.get(task_id=task_id)
    TaskRun.objects.filter(pk=row.pk).update(state="queued", epoch=1, published_at=Now())
    Transition.objects.create(
        run_id=row.run_id,
        task_run_id=row.pk,
        from_state="waiting",
        to_state="queued",
        epoch=1,
        reason="r",
        actor="a",
    )


def test_a_dag_with_more_under_way_than_it_may() -> None:
    dag = save_dag(ROW, max_active_runs=2)
    start_run(dag)
    start_run(dag)
    Dag.objects.update(max_active_runs=1)
    assert names() == [("I8", "", "dag_overdrawn")]
    Dag.objects.update(updated_at=datetime.now(UTC))
    assert names() == [("I8", "", "dag_lowered")]


def test_two_runs_for_one_logical_date() -> None:
    date = datetime(2026, 1, 31, tzinfo=UTC)
    dag = save_dag(ROW)
    start_run(dag, run_type=RunType.SCHEDULED, logical_date=date, run_id="one")
    with without_index("one_run_per_logical_date"):
        start_run(dag, run_type=RunType.SCHEDULED, logical_date=date, run_id="two")
        assert names() == [
            ("I9", "", "unique_index_missing"),
            ("I9", "", "logical_date_twice"),
            ("I9", "", "logical_date_twice"),
        ]


# ------------------------------------------------------------- the guards


def test_a_trigger_that_somebody_disabled() -> None:
    with without_trigger("skytrail_task_run", "guard"):
        assert names() == [("I3", "", "trigger_disabled")]
    assert names() == []


def test_triggers_that_know_other_moves_than_the_code() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('skytrail_run_may_move'::regproc)")
        (before,) = cursor.fetchone()
        cursor.execute(
            "CREATE OR REPLACE FUNCTION skytrail_run_may_move(from_state text, to_state text)"
            " RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS"
            " $$ SELECT from_state = 'queued' $$"
        )
        try:
            codes = {code for _, _, code in names()}
        finally:
            cursor.execute(before)
    assert codes == {"move_refused", "move_not_refused"}


# --------------------------------------------------------------- the scope


def test_runs_that_ended_long_ago_are_looked_at_when_asked_for(conveyor: Conveyor) -> None:
    old, fresh = done(conveyor), done(conveyor)
    DagRun.objects.filter(pk=old.pk).update(finished_at=Now() - timedelta(days=3))
    Attempt.objects.update(finished_at=None)
    day = datetime.now(UTC) - timedelta(days=1)
    assert {found.run_pk for _, found in broken(since=day)} == {fresh.pk}
    assert {found.run_pk for _, found in broken()} == {old.pk, fresh.pk}
    assert {found.run_pk for _, found in broken(runs=[old.pk])} == {old.pk}


def test_many_runs_are_looked_at_in_batches(
    conveyor: Conveyor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runs_app.selectors.invariants.examining.BATCH", 4)
    dag = save_dag(ROW, max_active_runs=100)
    for _ in range(7):
        start_run(dag)
    told: list[tuple[int, int]] = []
    found = examine(Scope(), progress=lambda runs, of: told.append((runs, of)))
    assert (found.runs, found.task_runs) == (7, 14)
    assert told == [(0, 7), (2, 7), (4, 7), (6, 7), (7, 7)]


def test_every_invariant_has_a_sentence_and_every_code_a_remedy() -> None:
    assert [invariant.name for invariant in INVARIANTS] == [f"I{n}" for n in range(1, 11)]
    folder = Path(selectors.__file__).parent / "invariants"
    source = "".join(path.read_text() for path in folder.glob("*.py"))
    codes = set(re.findall(r"(?:THEN|ELSE)? ?'([a-z]+_[a-z_]+)'(?: END)? AS code", source))
    known = set(repairing._MENDING) | set(repairing._FOR_A_PERSON)
    assert codes
    assert codes <= known
    assert not set(repairing._MENDING) & set(repairing._FOR_A_PERSON)
