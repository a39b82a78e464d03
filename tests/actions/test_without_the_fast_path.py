"""Messages only save time: what they do not bring about, recovery does, and a run ends the same."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runs_app.actions.recovery import recover
from runs_app.actions.waking import wake
from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Outcome
from runs_app.models import DagRun, TaskRun, Tick
from tests.actions.test_any_order import OUTCOMES, stories
from tests.conveyor import Conveyor, failing
from tests.factories import Graph, save_dag, start_run, states

pytestmark = pytest.mark.usefixtures("committing")

#: What early reactions find depends on who comes first.
EAGER = {"one_success", "one_failed", "one_done", "always"}

ONCE_MORE = {"retries": 1, "retry_delay_seconds": 0}

SHAPES: dict[str, Graph] = {
    "one": {"a": []},
    "chain": {"a": [], "b": ["a"], "c": ["b"], "d": ["c"]},
    "fan": {"a": [], **{f"b{place}": ["a"] for place in range(6)}},
    "fan in": {**{f"a{place}": [] for place in range(6)}, "z": [f"a{place}" for place in range(6)]},
    "diamonds": {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": ["d"], "f": ["d"]},
    "apart": {"a": [], "b": [], "c": ["a"], "d": ["b"]},
}

LOSSES = {
    "each message is lost once": {"loses_each_once": True},
    "nothing leads on from a step": {"only_first_steps": True},
    "both": {"loses_each_once": True, "only_first_steps": True},
}


@pytest.fixture(params=[*LOSSES.values()], ids=[*LOSSES])
def loss(request: pytest.FixtureRequest) -> dict[str, bool]:
    """What happens to messages."""
    found: dict[str, bool] = request.param
    return found


def troubled(conveyor: Conveyor, loss: dict[str, bool]) -> None:
    for name, value in loss.items():
        setattr(conveyor, name, value)


def untroubled(conveyor: Conveyor) -> None:
    troubled(conveyor, {"loses_each_once": False, "only_first_steps": False})


def let_recovery_lead(conveyor: Conveyor, run: DagRun, *, sweeps: int) -> None:
    """Delivers what comes, and lets recovery find the rest, until the run has ended."""
    Tick.objects.get_or_create(name="recover", defaults={"ran_at": Now()})
    for _ in range(sweeps):
        conveyor.run()
        run.refresh_from_db()
        if run.finished_at:
            return
        # As if the times that recovery waits had passed.
        Tick.objects.update(ran_at=Now() - timedelta(seconds=6))
        DagRun.objects.update(planned_at=Now() - timedelta(minutes=2))
        TaskRun.objects.filter(state="queued").update(
            published_at=Now() - timedelta(hours=1), publish_count=1
        )
        recover(every=5)
        wake()


def twice_each(conveyor: Conveyor) -> list[tuple[str, int]]:
    """The executions, as task and epoch, that were started more than once."""
    return [begun for begun, times in Counter(conveyor.started).items() if times > 1]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_run_ends_well_whatever_its_shape(
    conveyor: Conveyor, loss: dict[str, bool], shape: str
) -> None:
    troubled(conveyor, loss)
    graph = SHAPES[shape]
    run = start_run(save_dag(graph))
    let_recovery_lead(conveyor, run, sweeps=6 * len(graph) + 6)
    assert (run.state, states(run)) == ("success", dict.fromkeys(graph, "success"))
    assert sorted(conveyor.started) == sorted((task_id, 1) for task_id in graph)


def test_a_gated_task_gets_its_slot(conveyor: Conveyor, loss: dict[str, bool]) -> None:
    troubled(conveyor, loss)
    graph = SHAPES["fan"]
    run = start_run(save_dag(graph, max_active_tasks=2))
    let_recovery_lead(conveyor, run, sweeps=60)
    assert (run.state, twice_each(conveyor)) == ("success", [])


def test_a_second_run_gets_its_turn(conveyor: Conveyor, loss: dict[str, bool]) -> None:
    troubled(conveyor, loss)
    dag = save_dag(SHAPES["chain"], max_active_runs=1)
    first, second = start_run(dag), start_run(dag)
    let_recovery_lead(conveyor, second, sweeps=80)
    first.refresh_from_db()
    assert (first.state, second.state) == ("success", "success")


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    story=stories(), flaky=st.sets(st.integers(0, 8), max_size=3), loss=st.sampled_from([*LOSSES])
)
def test_a_run_ends_as_it_does_with_every_message(
    conveyor: Conveyor,
    story: tuple[Graph, dict[str, dict[str, str]], dict[str, str]],
    flaky: set[int],
    loss: str,
) -> None:
    graph, rules, outcomes = story
    again = {f"t{place}" for place in flaky} & set(graph)
    tasks: dict[str, dict[str, Any]] = {
        name: {**rule, **(ONCE_MORE if name in again else {})} for name, rule in rules.items()
    }

    def script(execution: Execution) -> Outcome:
        if execution.task_id in again and execution.attempt == 1:
            return failing()
        return OUTCOMES[outcomes[execution.task_id]]

    conveyor.script, conveyor.delivered = script, 0
    dag = save_dag(graph, tasks=tasks, max_active_runs=100)
    sweeps = 8 * len(graph) + 8
    untroubled(conveyor)
    one = start_run(dag)
    let_recovery_lead(conveyor, one, sweeps=sweeps)
    troubled(conveyor, LOSSES[loss])
    conveyor.started.clear()
    other = start_run(dag)
    let_recovery_lead(conveyor, other, sweeps=sweeps)
    assert one.finished_at, "with every message it ends"
    assert other.finished_at, "without them too"
    assert twice_each(conveyor) == []
    if not any(rule["trigger_rule"] in EAGER for rule in rules.values()):
        assert (one.state, states(one)) == (other.state, states(other))
