"""Pools, and how much of a DAG may be under way at once."""

from __future__ import annotations

import pytest

from dags_app.models import Dag
from runs_app.actions.admission import admit
from runs_app.actions.launching import BadRun
from runs_app.actions.rerunning import clear
from runs_app.actions.waking import wake
from runs_app.domain.clearing import Selection
from runs_app.models import Attempt, DagRun, Pool, TaskRun
from tests.actions.test_retrying import let_time_pass
from tests.conveyor import Conveyor, ends, failing
from tests.factories import Graph, save_dag, start_run, states

pytestmark = pytest.mark.usefixtures("committing")


def side_by_side(count: int, **details: object) -> tuple[Graph, dict[str, dict[str, object]]]:
    names = [f"t{place}" for place in range(count)]
    return {name: [] for name in names}, {name: dict(details) for name in names}


def pooled(count: int, *, slots: int, name: str = "story", **details: object) -> Dag:
    Pool.objects.get_or_create(name="db", defaults={"slots": slots})
    graph, tasks = side_by_side(count, pool="db", **details)
    return save_dag(graph, tasks=tasks, name=name)


def queued(*runs: DagRun) -> int:
    return TaskRun.objects.filter(run__in=runs, state="queued").count()


def test_no_more_tasks_than_a_pool_has_slots_are_queued(conveyor: Conveyor) -> None:
    run = start_run(pooled(5, slots=2))
    conveyor.deliver_one()
    assert queued(run) == 2
    conveyor.run()
    run.refresh_from_db()
    assert run.state == "success"


def test_a_pool_is_shared_by_dags(conveyor: Conveyor) -> None:
    one = start_run(pooled(2, slots=1, name="one"))
    two = start_run(pooled(2, slots=1, name="two"))
    conveyor.deliver_one()
    conveyor.deliver_one()
    assert queued(one, two) == 1
    conveyor.run()
    assert set(states(one).values()) | set(states(two).values()) == {"success"}


def test_priority_decides_who_gets_the_next_slot(conveyor: Conveyor) -> None:
    Pool.objects.create(name="db", slots=0)
    graph: Graph = {"low": [], "high": [], "middle": []}
    details = {
        "low": {"pool": "db", "priority": -1},
        "high": {"pool": "db", "priority": 9},
        "middle": {"pool": "db"},
    }
    run = start_run(save_dag(graph, tasks=details))
    conveyor.run()
    Pool.objects.update(slots=1)
    admit()
    assert states(run) == {"low": "waiting", "high": "queued", "middle": "waiting"}
    conveyor.run()
    assert [name for name, _ in conveyor.started] == ["high", "middle", "low"]


def test_a_task_that_wants_more_slots_than_are_free_does_not_hold_up_smaller_ones(
    conveyor: Conveyor,
) -> None:
    Pool.objects.create(name="db", slots=3)
    graph: Graph = {"first": [], "big": [], "small": []}
    details = {
        "first": {"pool": "db", "priority": 10},
        "big": {"pool": "db", "pool_slots": 3, "priority": 9},
        "small": {"pool": "db"},
    }
    conveyor.held = {"first"}
    run = start_run(save_dag(graph, tasks=details))
    conveyor.run()
    assert states(run) == {"first": "queued", "big": "waiting", "small": "success"}


def test_a_dag_has_no_more_tasks_under_way_than_it_may(conveyor: Conveyor) -> None:
    graph, _ = side_by_side(6)
    dag = save_dag(graph, max_active_tasks=2)
    one, two = start_run(dag), start_run(dag)
    conveyor.deliver_one()
    assert queued(one, two) == 2
    conveyor.run()
    assert set(states(one).values()) | set(states(two).values()) == {"success"}


def test_a_sleeping_task_gives_its_slot_back_and_stands_in_line_again(conveyor: Conveyor) -> None:
    conveyor.script = ends(t0=failing())
    dag = pooled(2, slots=1, retries=1, retry_delay_seconds=60)
    run = start_run(dag)
    conveyor.run()
    assert states(run) == {"t0": "up_for_retry", "t1": "success"}
    Pool.objects.update(slots=0)
    let_time_pass()
    wake()
    assert states(run)["t0"] == "waiting"
    Pool.objects.update(slots=1)
    conveyor.script = ends()
    admit()
    conveyor.run()
    assert states(run)["t0"] == "success"


def test_a_run_that_needs_a_pool_that_is_not_there_is_refused_with_its_name() -> None:
    Pool.objects.create(name="database", slots=1)
    graph, details = side_by_side(1, pool="databse")
    dag = save_dag(graph, tasks=details)
    with pytest.raises(BadRun) as caught:
        start_run(dag)
    (problem,) = caught.value.problems
    assert "'databse'" in problem.message
    assert "did you mean 'database'" in problem.message


def test_no_more_runs_than_a_dag_may_have_run_at_once_and_the_rest_in_order(
    conveyor: Conveyor,
) -> None:
    dag = save_dag({"a": []}, max_active_runs=2)
    runs = [start_run(dag) for _ in range(5)]
    assert [run.state for run in runs] == ["running", "running", "queued", "queued", "queued"]
    conveyor.run()
    started = list(DagRun.objects.order_by("started_at").values_list("pk", flat=True))
    assert started == [run.pk for run in runs]
    assert set(DagRun.objects.values_list("state", flat=True)) == {"success"}


def test_what_waits_for_a_pool_that_is_gone_is_failed_and_told_why(conveyor: Conveyor) -> None:
    run = start_run(pooled(1, slots=1))
    Pool.objects.all().delete()
    conveyor.run()
    run.refresh_from_db()
    assert run.state == "failed"
    assert Attempt.objects.get().message == (
        "it waits for a slot of the pool 'db', which does not exist; create it, and clear this task"
    )


def test_what_a_pool_will_never_have_room_for_is_failed_and_told_why(conveyor: Conveyor) -> None:
    run = start_run(pooled(1, slots=5, pool_slots=5))
    Pool.objects.update(slots=3)
    conveyor.run()
    run.refresh_from_db()
    assert run.state == "failed"
    assert Attempt.objects.get().message == (
        "it needs 5 slots of the pool 'db', which has 3; give the pool more or the task fewer "
        "(pool_slots), and clear it"
    )
    Pool.objects.update(slots=5)
    clear(run, Selection(), actor="user:alice")
    conveyor.run()
    run.refresh_from_db()
    assert run.state == "success"


def test_a_pool_of_no_slots_holds_back_until_there_are_some(conveyor: Conveyor) -> None:
    run = start_run(pooled(1, slots=0, pool_slots=5))
    conveyor.run()
    assert states(run) == {"t0": "waiting"}


def test_a_run_that_needs_more_than_a_pool_has_is_refused(conveyor: Conveyor) -> None:
    with pytest.raises(BadRun) as refused:
        start_run(pooled(1, slots=3, pool_slots=5))
    assert [problem.code for problem in refused.value.problems] == ["pool_too_small"]
