"""Setup and teardown, short circuits, failing fast and waiting for the past, over real rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runs_app.actions.launching import RunRequest, insert, run_id_for
from runs_app.actions.rerunning import clear
from runs_app.domain.clearing import Selection
from runs_app.domain.outcomes import Outcome
from runs_app.models import DagRun, RunType, TaskRun
from tests.conveyor import Conveyor, ends, failing
from tests.factories import Graph, save_dag, start_run, states

pytestmark = pytest.mark.usefixtures("committing")


def end_of(run: DagRun) -> str:
    run.refresh_from_db()
    return run.state


# ------------------------------------------------------------------ setup and teardown

AROUND: Graph = {"create": [], "work": ["create"], "drop": ["create", "work"]}
ROLES: dict[str, Any] = {"create": {"setup": True}, "drop": {"teardown": True}}


@pytest.mark.parametrize(
    ("outcomes", "expected", "run_state"),
    [
        ({}, {"create": "success", "work": "success", "drop": "success"}, "success"),
        (
            {"work": failing()},
            {"create": "success", "work": "failed", "drop": "success"},
            "failed",
        ),
        (
            {"create": failing()},
            {"create": "failed", "work": "upstream_failed", "drop": "upstream_failed"},
            "failed",
        ),
        (
            {"create": Outcome.skipped("not today")},
            {"create": "skipped", "work": "skipped", "drop": "skipped"},
            "success",
        ),
        (
            {"drop": failing()},
            {"create": "success", "work": "success", "drop": "failed"},
            "success",
        ),
    ],
)
def test_a_teardown_follows_its_setup_however_the_work_ends(
    conveyor: Conveyor, outcomes: dict[str, Outcome], expected: dict[str, str], run_state: str
) -> None:
    conveyor.script = ends(**outcomes)
    run = start_run(save_dag(AROUND, tasks=ROLES))
    conveyor.run()
    assert states(run) == expected
    assert end_of(run) == run_state


def test_a_teardown_may_decide_about_the_run(conveyor: Conveyor) -> None:
    conveyor.script = ends(drop=failing())
    roles = ROLES | {"drop": {"teardown": True, "on_failure_fail_dagrun": True}}
    run = start_run(save_dag(AROUND, tasks=roles))
    conveyor.run()
    assert end_of(run) == "failed"


def test_a_dag_of_teardowns_alone_goes_by_its_leaves(conveyor: Conveyor) -> None:
    conveyor.script = ends(b=failing())
    roles = {"a": {"teardown": True}, "b": {"teardown": True}}
    run = start_run(save_dag({"a": [], "b": ["a"]}, tasks=roles))
    conveyor.run()
    assert end_of(run) == "failed"


# ------------------------------------------------------------------ decisions

LINE: Graph = {"check": [], "a": ["check"], "b": ["a"], "tidy": ["b"]}


def _short(**more: Any) -> dict[str, Any]:
    return {"check": {"type": "short_circuit", "value": "{{ 1 }}", **more}}


def test_a_short_circuit_skips_all_that_follows_whatever_its_rules(conveyor: Conveyor) -> None:
    conveyor.script = ends(check=Outcome.success(False, chosen=()))
    rules = {"b": {"trigger_rule": "all_done"}, "tidy": {"trigger_rule": "always"}}
    graph: Graph = LINE | {"tidy": ["b"]}
    run = start_run(save_dag(graph, tasks=_short() | {"b": rules["b"]}))
    conveyor.run()
    assert states(run) == {"check": "success", "a": "skipped", "b": "skipped", "tidy": "skipped"}
    assert end_of(run) == "success"


def test_a_short_circuit_may_leave_the_rest_to_the_rules(conveyor: Conveyor) -> None:
    conveyor.script = ends(check=Outcome.success(False, chosen=()))
    tasks = _short(ignore_downstream_trigger_rules=False) | {"b": {"trigger_rule": "all_done"}}
    run = start_run(save_dag(LINE, tasks=tasks))
    conveyor.run()
    assert states(run) == {"check": "success", "a": "skipped", "b": "success", "tidy": "success"}


def test_a_short_circuit_that_holds_changes_nothing(conveyor: Conveyor) -> None:
    run = start_run(save_dag(LINE, tasks=_short()))
    conveyor.run()
    assert set(states(run).values()) == {"success"}


def test_a_short_circuit_leaves_teardowns_alone(conveyor: Conveyor) -> None:
    conveyor.script = ends(check=Outcome.success(False, chosen=()))
    graph: Graph = {"create": [], "check": ["create"], "a": ["check"], "drop": ["create", "a"]}
    roles = {"create": {"setup": True}, "drop": {"teardown": True}}
    run = start_run(save_dag(graph, tasks=_short() | roles))
    conveyor.run()
    assert states(run) == {
        "create": "success",
        "check": "success",
        "a": "skipped",
        "drop": "success",
    }


def test_a_latest_only_skips_what_depends_on_it(conveyor: Conveyor) -> None:
    conveyor.script = ends(check=Outcome.success(chosen=()))
    tasks = {"check": {"type": "latest_only"}, "tidy": {"trigger_rule": "all_done"}}
    run = start_run(save_dag(LINE, tasks=tasks))
    conveyor.run()
    assert states(run) == {"check": "success", "a": "skipped", "b": "skipped", "tidy": "success"}


# ------------------------------------------------------------------ failing fast


def test_the_first_failure_ends_a_run_that_fails_fast(conveyor: Conveyor) -> None:
    graph: Graph = {"a": [], "b": ["a"], "slow": [], "after": ["slow"], "lone": ["b", "slow"]}
    conveyor.script = ends(a=failing())
    conveyor.held = {"slow"}
    run = start_run(save_dag(graph, fail_fast=True))
    conveyor.run()
    assert states(run) == {
        "a": "failed",
        "b": "skipped",
        "slow": "cancelled",
        "after": "skipped",
        "lone": "skipped",
    }
    assert end_of(run) == "failed"


def test_failing_fast_a_teardown_still_runs(conveyor: Conveyor) -> None:
    graph: Graph = AROUND | {"more": ["work"], "drop": ["create", "more"]}
    conveyor.script = ends(work=failing())
    run = start_run(save_dag(graph, tasks=ROLES, fail_fast=True))
    conveyor.run()
    assert states(run) == {
        "create": "success",
        "work": "failed",
        "more": "skipped",
        "drop": "success",
    }
    assert end_of(run) == "failed"


def test_a_try_that_is_followed_by_another_is_no_failure_yet(conveyor: Conveyor) -> None:
    conveyor.script = ends(a=failing())
    tasks = {"a": {"retries": 1}}
    run = start_run(save_dag({"a": [], "b": []}, tasks=tasks, fail_fast=True))
    conveyor.run()
    assert states(run) == {"a": "up_for_retry", "b": "success"}
    assert end_of(run) == "running"


# ------------------------------------------------------------------ the past

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def scheduled(dag: Any, day: int) -> DagRun:
    """The run of a day, as the schedule makes it."""
    date = DAY + timedelta(days=day)
    request = RunRequest(
        run_type=RunType.SCHEDULED, run_id=run_id_for(RunType.SCHEDULED, date), logical_date=date
    )
    (key,) = insert([(dag, request)], actor="schedule")
    return DagRun.objects.get(pk=key)


def test_a_task_waits_for_itself_in_the_run_before(conveyor: Conveyor) -> None:
    dag = save_dag({"a": [], "b": ["a"]}, tasks={"b": {"depends_on_past": True}})
    conveyor.held = {"b"}
    first, second = scheduled(dag, 0), scheduled(dag, 1)
    conveyor.run()
    assert states(first) == {"a": "success", "b": "queued"}
    assert states(second) == {"a": "success", "b": "waiting"}
    conveyor.held.clear()
    conveyor.run()
    assert (end_of(first), end_of(second)) == ("success", "success")


def test_a_failure_in_the_run_before_holds_it_back_until_that_is_cleared(
    conveyor: Conveyor,
) -> None:
    dag = save_dag({"a": [], "b": ["a"]}, tasks={"b": {"depends_on_past": True}})
    conveyor.script = ends(b=failing())
    first, second, third = (scheduled(dag, day) for day in range(3))
    conveyor.run()
    assert (end_of(first), end_of(second), end_of(third)) == ("failed", "running", "running")
    conveyor.script = ends()
    clear(first, Selection(only_failed=True), actor="user:alice")
    conveyor.run()
    assert [end_of(run) for run in (first, second, third)] == ["success"] * 3


def test_it_may_wait_for_what_follows_there_as_well(conveyor: Conveyor) -> None:
    dag = save_dag({"a": [], "b": ["a"]}, tasks={"a": {"wait_for_downstream": True}})
    conveyor.held = {"b"}
    first, second = scheduled(dag, 0), scheduled(dag, 1)
    conveyor.run()
    assert states(first) == {"a": "success", "b": "queued"}
    assert states(second) == {"a": "waiting", "b": "waiting"}
    conveyor.held.clear()
    conveyor.run()
    assert (end_of(first), end_of(second)) == ("success", "success")


def test_the_first_run_waits_for_nobody(conveyor: Conveyor) -> None:
    run = scheduled(save_dag({"a": []}, tasks={"a": {"depends_on_past": True}}), 0)
    conveyor.run()
    assert end_of(run) == "success"


def test_a_mapped_task_of_the_run_before_is_done_when_all_its_instances_are(
    conveyor: Conveyor,
) -> None:
    values = {"a": {"depends_on_past": True, "expand": {"n": [1, 2]}}}
    dag = save_dag({"a": []}, tasks=values)
    conveyor.script = lambda execution: (
        Outcome.expanded([{"n": 1}, {"n": 2}]) if execution.is_expansion else Outcome.success()
    )
    conveyor.held = {"a[1]"}
    first, second = scheduled(dag, 0), scheduled(dag, 1)
    conveyor.run()
    assert states(first)["a"] == "queued", "the last of its instances"
    assert TaskRun.objects.get(run=second).state == "waiting"
    conveyor.held.clear()
    conveyor.run()
    assert (end_of(first), end_of(second)) == ("success", "success")
