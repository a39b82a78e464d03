"""A run's way from its start to its end, over real rows."""

from __future__ import annotations

import pytest

from runs_app.domain.outcomes import Outcome
from runs_app.models import Attempt, Output, Transition
from tests.conveyor import Conveyor, ends, failing
from tests.factories import save_dag, start_run, states, task

pytestmark = pytest.mark.usefixtures("committing")

DIAMOND = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}


def test_a_run_whose_tasks_all_succeed_succeeds(conveyor: Conveyor) -> None:
    run = start_run(save_dag(DIAMOND))
    conveyor.run()
    run.refresh_from_db()
    assert run.state == "success"
    assert set(states(run).values()) == {"success"}
    assert run.started_at
    assert run.finished_at
    assert run.started_at <= run.finished_at


def test_a_task_whose_upstream_failed_is_not_started(conveyor: Conveyor) -> None:
    conveyor.script = ends(b=failing())
    run = start_run(save_dag(DIAMOND))
    conveyor.run()
    run.refresh_from_db()
    assert run.state == "failed"
    assert states(run) == {"a": "success", "b": "failed", "c": "success", "d": "upstream_failed"}
    assert {name for name, _ in conveyor.started} == {"a", "b", "c"}


def test_a_skipped_task_skips_what_only_follows_it(conveyor: Conveyor) -> None:
    conveyor.script = ends(b=Outcome.skipped("nothing to do"))
    run = start_run(save_dag({"a": [], "b": ["a"], "after_b": ["b"], "c": ["a"]}))
    conveyor.run()
    run.refresh_from_db()
    assert run.state == "success"
    assert states(run)["after_b"] == "skipped"


def test_a_branch_goes_on_with_what_it_chose_and_with_the_join_behind_it(
    conveyor: Conveyor,
) -> None:
    graph = {"pick": [], "left": ["pick"], "right": ["pick"], "join": ["pick", "left", "right"]}
    details = {
        "pick": {"type": "branch", "callable": "somewhere.decide"},
        "join": {"trigger_rule": "none_failed_min_one_success"},
    }
    conveyor.script = ends(pick=Outcome.success("left", chosen=("left",)))
    run = start_run(save_dag(graph, tasks=details))
    conveyor.run()
    assert states(run) == {
        "pick": "success", "left": "success", "right": "skipped", "join": "success",
    }  # fmt: skip


def test_a_task_that_reacts_to_one_success_does_not_wait_for_the_rest(conveyor: Conveyor) -> None:
    graph = {"fast": [], "slow": [], "eager": ["fast", "slow"]}
    run = start_run(save_dag(graph, tasks={"eager": {"trigger_rule": "one_success"}}))
    conveyor.held = {"slow"}
    conveyor.run()
    assert states(run) == {"fast": "success", "slow": "queued", "eager": "success"}
    conveyor.held.clear()
    conveyor.run()
    assert set(states(run).values()) == {"success"}


def test_every_move_is_told_in_the_history_with_who_and_why(conveyor: Conveyor) -> None:
    run = start_run(save_dag({"only": []}))
    conveyor.run()
    moves = Transition.objects.filter(run=run, task_run=task(run, "only"))
    told = list(moves.values_list("from_state", "to_state", "reason", "actor", "epoch"))
    assert told == [
        ("waiting", "queued", "ready", "user:alice", 1),
        ("queued", "running", "claimed", "conveyor", 1),
        ("running", "success", "finished", "conveyor", 1),
    ]
    of_run = Transition.objects.filter(run=run, task_run=None)
    assert list(of_run.values_list("from_state", "to_state")) == [
        ("", "running"),
        ("running", "success"),
    ]


def test_an_execution_is_kept_with_its_outcome(conveyor: Conveyor) -> None:
    conveyor.script = ends(only=Outcome.failed("no such file", reason="exit_code", exit_code=2))
    run = start_run(save_dag({"only": []}))
    conveyor.run()
    attempt = Attempt.objects.get(task_run__run=run)
    assert (attempt.number, attempt.epoch, attempt.state) == (1, 1, "failed")
    assert (attempt.reason, attempt.message, attempt.exit_code) == ("exit_code", "no such file", 2)
    assert attempt.finished_at is not None


def test_an_output_is_kept_only_of_a_success(conveyor: Conveyor) -> None:
    conveyor.script = ends(good=Outcome.success({"rows": 3}), bad=failing())
    run = start_run(save_dag({"good": [], "bad": []}))
    conveyor.run()
    kept = Output.objects.filter(task_run__run=run)
    assert list(kept.values_list("task_run__task_id", "value")) == [("good", {"rows": 3})]


def test_a_wide_run_is_looked_at_narrowly_and_still_ends(conveyor: Conveyor) -> None:
    layers = 3
    graph: dict[str, list[str]] = {}
    for layer in range(layers):
        for place in range(90):
            before = [f"t{layer - 1}_{place}"] if layer else []
            graph[f"t{layer}_{place}"] = before
    graph["join"] = [f"t{layers - 1}_{place}" for place in range(90)]
    conveyor.script = ends(t1_5=failing())
    run = start_run(save_dag(graph))
    conveyor.run()
    run.refresh_from_db()
    there = states(run)
    assert run.state == "failed"
    assert there["t2_5"] == there["join"] == "upstream_failed"
    assert sum(state == "success" for state in there.values()) == 90 * layers - 2


def test_more_roots_than_a_request_starts_are_left_to_the_dispatcher(conveyor: Conveyor) -> None:
    run = start_run(save_dag({f"t{i}": [] for i in range(150)}))
    assert set(states(run).values()) == {"waiting"}
    assert len(conveyor.messages) == 1
    conveyor.run()
    assert set(states(run).values()) == {"success"}
