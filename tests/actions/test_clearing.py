"""Having tasks run again."""

from __future__ import annotations

import pytest

from runs_app.actions import admission, attempts, rerunning
from runs_app.actions.dispatching_steps import dispatch
from runs_app.actions.rerunning import clear
from runs_app.domain.clearing import Selection
from runs_app.domain.outcomes import Outcome
from runs_app.models import Attempt, Output, Pool
from runs_app.selectors.outputs import outputs_of
from tests.actions.test_cancelling import claimed
from tests.conveyor import Conveyor, ends, failing
from tests.doubles import RecordingDispatcher
from tests.factories import Graph, save_dag, start_run, states, task

pytestmark = pytest.mark.usefixtures("committing")

GRAPH = {"a": [], "b": ["a"], "c": ["b"], "aside": []}


def test_a_task_runs_again_with_all_that_follows_it(conveyor: Conveyor) -> None:
    run = start_run(save_dag(GRAPH))
    conveyor.run()
    conveyor.started.clear()
    cleared = clear(run, Selection(task_ids=["b"]), actor="user:alice")
    assert [row.task_id for row in cleared] == ["b", "c"]
    conveyor.run()
    run.refresh_from_db()
    assert run.state == "success"
    assert sorted(name for name, _ in conveyor.started) == ["b", "c"]


def test_a_task_runs_again_alone(conveyor: Conveyor) -> None:
    run = start_run(save_dag(GRAPH))
    conveyor.run()
    conveyor.started.clear()
    clear(run, Selection(task_ids=["b"], downstream=False), actor="user:alice")
    conveyor.run()
    run.refresh_from_db()
    assert run.state == "success"
    assert [name for name, _ in conveyor.started] == ["b"]


def test_only_what_failed_runs_again(conveyor: Conveyor) -> None:
    conveyor.script = ends(b=failing())
    run = start_run(save_dag(GRAPH))
    conveyor.run()
    assert states(run)["c"] == "upstream_failed"
    conveyor.script = ends()
    cleared = clear(run, Selection(only_failed=True), actor="user:alice")
    assert [row.task_id for row in cleared] == ["b", "c"]
    conveyor.run()
    run.refresh_from_db()
    assert run.state == "success"


def test_a_dry_run_lists_exactly_what_is_then_cleared_and_changes_nothing(
    conveyor: Conveyor,
) -> None:
    run = start_run(save_dag(GRAPH))
    conveyor.run()
    before = states(run)
    planned = clear(run, Selection(task_ids=["b"]), actor="user:alice", dry_run=True)
    run.refresh_from_db()
    assert states(run) == before
    assert run.state == "success"
    assert clear(run, Selection(task_ids=["b"]), actor="user:alice") == planned


def test_a_task_that_runs_is_stopped_first_and_starts_again_only_then(
    dispatcher: RecordingDispatcher,
) -> None:
    run = start_run(save_dag(GRAPH))
    execution = claimed(run, "a")
    clear(run, Selection(task_ids=["a"], downstream=False), actor="user:alice")
    assert states(run)["a"] == "restarting"
    assert dispatcher.called_in == ["worker@one"]
    dispatch(run.pk, actor="dispatcher")
    assert states(run)["a"] == "restarting", "the old execution may still be at work"

    attempts.finish(execution, Outcome.success("too late"), worker="worker@one")
    assert states(run)["a"] == "waiting"
    dispatch(run.pk, actor="dispatcher")
    row = task(run, "a")
    assert (row.state, row.epoch) == ("queued", execution.epoch + 2)


def test_earlier_executions_stay_readable_and_their_outputs_are_no_longer_used(
    conveyor: Conveyor,
) -> None:
    conveyor.script = ends(a=Outcome.success({"try": 1}))
    run = start_run(save_dag(GRAPH))
    conveyor.run()
    clear(run, Selection(task_ids=["a"]), actor="user:alice")
    assert outputs_of(run.pk, ["a"]) == {}
    conveyor.script = ends(a=Outcome.success({"try": 2}))
    conveyor.run()
    assert outputs_of(run.pk, ["a"]) == {"a": {"try": 2}}
    assert Attempt.objects.filter(task_run=task(run, "a")).count() == 2
    assert Output.objects.filter(task_run=task(run, "a")).count() == 2


def test_a_cleared_task_gets_its_retries_again(conveyor: Conveyor) -> None:
    conveyor.script = ends(a=failing())
    run = start_run(save_dag(GRAPH, tasks={"a": {"retries": 0}}))
    conveyor.run()
    clear(run, Selection(task_ids=["a"]), actor="user:alice")
    row = task(run, "a")
    assert row.max_attempts == row.attempt + 1


def test_unknown_tasks_are_named_with_what_was_probably_meant(conveyor: Conveyor) -> None:
    run = start_run(save_dag({"load_data": []}))
    with pytest.raises(rerunning.BadSelection) as caught:
        clear(run, Selection(task_ids=["load_date"]), actor="user:alice")
    (problem,) = caught.value.problems
    assert problem.path == "task_ids[0]"
    assert "did you mean 'load_data'" in problem.message


def test_a_run_waits_for_its_turn_again_where_its_dag_has_no_place_free(
    conveyor: Conveyor,
) -> None:
    dag = save_dag(GRAPH, max_active_runs=1)
    first = start_run(dag)
    conveyor.run()
    second = start_run(dag)
    clear(first, Selection(), actor="user:alice")
    first.refresh_from_db()
    assert (first.state, second.state) == ("queued", "running")
    conveyor.run()
    first.refresh_from_db()
    assert first.state == "success"


@pytest.mark.parametrize("downstream", [True, False])
def test_a_task_that_waits_for_a_slot_waits_for_what_is_cleared_before_it(
    conveyor: Conveyor, downstream: bool
) -> None:
    pool = Pool.objects.create(name="db", slots=0)
    run = start_run(save_dag(GRAPH, tasks={"c": {"pool": "db"}}))
    conveyor.run()
    assert task(run, "c").ready_at is not None, "only a slot is missing"
    conveyor.held = {"b"}
    clear(run, Selection(task_ids=["b"], downstream=downstream), actor="user:alice")
    Pool.objects.filter(pk=pool.pk).update(slots=1)
    admission.admit()
    conveyor.run()
    assert states(run) == {"a": "success", "b": "queued", "c": "waiting", "aside": "success"}
    conveyor.held = set()
    conveyor.run()
    run.refresh_from_db()
    assert run.state == "success"


def test_what_comes_before_runs_again_too(conveyor: Conveyor) -> None:
    run = start_run(save_dag(GRAPH))
    conveyor.run()
    conveyor.started.clear()
    clear(run, Selection(task_ids=["b"], upstream=True, downstream=False), actor="user:alice")
    conveyor.run()
    assert [name for name, _ in conveyor.started] == ["a", "b"]
    run.refresh_from_db()
    assert run.state == "success"


def test_what_was_set_up_for_a_task_is_set_up_again(conveyor: Conveyor) -> None:
    around: Graph = {"make": [], "work": ["make"], "drop": ["make", "work"], "after": ["work"]}
    conveyor.script = ends(work=failing())
    run = start_run(save_dag(around, tasks={"make": {"setup": True}, "drop": {"teardown": True}}))
    conveyor.run()
    conveyor.started.clear()
    conveyor.script = ends()
    cleared = clear(run, Selection(only_failed=True), actor="user:alice")
    assert [row.name for row in cleared] == ["make", "work", "drop", "after"]
    conveyor.run()
    assert sorted(name for name, _ in conveyor.started) == ["after", "drop", "make", "work"]
    run.refresh_from_db()
    assert run.state == "success"
