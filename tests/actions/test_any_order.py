"""The order in which messages arrive, and whether they do, plays no part in how a run ends."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dags_app.domain.tasks import TriggerRule
from runs_app.actions.recovery import recover
from runs_app.domain.outcomes import Outcome
from runs_app.models import DagRun, TaskRun, Tick
from tests.conveyor import Conveyor, ends, failing
from tests.factories import Graph, save_dag, start_run, states

pytestmark = pytest.mark.usefixtures("committing")

OUTCOMES = {
    "success": Outcome.success(),
    "failure": failing(),
    "skip": Outcome.skipped("nothing to do"),
}


@st.composite
def stories(draw: st.DrawFn) -> tuple[Graph, dict[str, dict[str, str]], dict[str, str]]:
    """A DAG, the trigger rules of its tasks, and how each task ends if it is started."""
    size = draw(st.integers(1, 9))
    names = [f"t{place}" for place in range(size)]
    graph = {
        name: draw(st.lists(st.sampled_from(names[:place]), unique=True, max_size=3))
        if place
        else []
        for place, name in enumerate(names)
    }
    rules = {name: {"trigger_rule": draw(st.sampled_from(TriggerRule)).value} for name in names}
    outcomes = {name: draw(st.sampled_from(sorted(OUTCOMES))) for name in names}
    return graph, rules, outcomes


def _end_of(run: DagRun) -> tuple[str, dict[str, str]]:
    run.refresh_from_db()
    return run.state, states(run)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=stories(), seed=st.integers(0, 2**32))
def test_a_run_ends_the_same_in_any_order_of_arrival(
    conveyor: Conveyor, story: tuple[Graph, dict[str, dict[str, str]], dict[str, str]], seed: int
) -> None:
    graph, rules, outcomes = story
    conveyor.delivered = 0
    conveyor.started.clear()
    conveyor.script = ends(**{name: OUTCOMES[outcome] for name, outcome in outcomes.items()})
    dag = save_dag(graph, tasks=rules, max_active_runs=100)
    conveyor.shuffled = False
    one = start_run(dag)
    conveyor.run()
    conveyor.shuffled, conveyor.choose = True, random.Random(seed)
    other = start_run(dag)
    conveyor.run()
    # Rules that react early may find less or more done: what they come to may differ then.
    eager = {"one_success", "one_failed", "one_done", "always"}
    assert DagRun.objects.filter(finished_at=None).count() == 0, "every run ends"
    if not any(rule["trigger_rule"] in eager for rule in rules.values()):
        assert _end_of(one) == _end_of(other)


@pytest.mark.parametrize("seed", range(6))
def test_a_run_whose_every_message_is_lost_once_still_ends_well(
    conveyor: Conveyor, seed: int
) -> None:
    graph = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": ["d"], "f": ["d"]}
    conveyor.shuffled, conveyor.choose = True, random.Random(seed)
    run = start_run(save_dag(graph))
    Tick.objects.create(name="recover", ran_at=Now())
    for _ in range(60):
        if run.finished_at:
            break
        if conveyor.messages and conveyor.choose.random() < 0.5:
            conveyor.deliver_one()
        conveyor.lose_all()
        _as_if_time_had_passed()
        recover(every=5)
        run.refresh_from_db()
    assert _end_of(run) == ("success", dict.fromkeys(graph, "success"))


def _as_if_time_had_passed() -> None:
    Tick.objects.update(ran_at=Now() - timedelta(seconds=6))
    DagRun.objects.update(planned_at=Now() - timedelta(minutes=2))
    TaskRun.objects.filter(state="queued").update(
        published_at=Now() - timedelta(hours=1), publish_count=1
    )
