"""A local run ends as a run of the engine does, whatever the DAG, and in any order of arrival."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dags_app.domain.parse import parse
from dags_app.domain.tasks import TriggerRule
from dags_app.models import Dag
from runs_app.actions import dispatching_steps
from runs_app.domain.states import RunState, TaskState
from runs_app.models import DagRun, TaskRun
from tests.conveyor import Conveyor
from tests.factories import save_dag, start_run
from tests.local.model import End, Model
from tests.local.stories import Story, Task, stories
from tests.local.trials import scripted

Ends = dict[str, End]


def _local(story: Story) -> tuple[Ends, RunState]:
    ledger = scripted(parse(story.document()), story.script)
    ends = {
        task.spec.id: (
            task.state,
            tuple(instance.state for instance in ledger.instances(task.position)),
        )
        for task in ledger.in_order()
        if task.map_index < 0
    }
    return ends, ledger.state


def _saved(story: Story) -> Dag:
    graph = {task.name: task.upstream for task in story.tasks.values()}
    return save_dag(graph, tasks={name: task.fields() for name, task in story.tasks.items()})


def _of_rows(run: DagRun) -> tuple[Ends, RunState]:
    run.refresh_from_db()
    ends: Ends = {}
    for row in TaskRun.objects.filter(run=run).order_by("position", "map_index"):
        state = TaskState(row.state)
        if row.map_index < 0:
            ends[row.task_id] = (state, ())
        else:
            own, instances = ends[row.task_id]
            ends[row.task_id] = (own, (*instances, state))
    return ends, RunState(run.state)


@settings(max_examples=300, deadline=None)
@given(story=stories(most=14))
def test_every_task_of_a_local_run_ends_as_its_rule_says(story: Story) -> None:
    ends, state = _local(story)
    Model(story).assert_fits(ends, state)


@pytest.mark.usefixtures("committing")
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@pytest.mark.parametrize("small", [0, dispatching_steps.SMALL])
@given(story=stories(), seed=st.integers(0, 2**32))
def test_the_engine_and_a_local_run_end_the_same(
    conveyor: Conveyor, monkeypatch: pytest.MonkeyPatch, small: int, story: Story, seed: int
) -> None:
    # Of larger graphs the engine does not plan all at each step.
    monkeypatch.setattr(dispatching_steps, "SMALL", small)
    model = Model(story)
    conveyor.delivered = 0
    conveyor.script = story.script
    conveyor.shuffled, conveyor.choose = True, random.Random(seed)
    run = start_run(_saved(story))
    conveyor.run()
    by_engine, ended_as = _of_rows(run)
    model.assert_fits(by_engine, ended_as)
    here = _local(story)
    if not (model.is_up_to_chance(by_engine) or model.is_up_to_chance(here[0])):
        assert here == (by_engine, ended_as)


@pytest.mark.usefixtures("committing")
@pytest.mark.parametrize("small", [0, dispatching_steps.SMALL])
def test_nothing_follows_a_short_circuit_by_way_of_a_teardown(
    conveyor: Conveyor, monkeypatch: pytest.MonkeyPatch, small: int
) -> None:
    monkeypatch.setattr(dispatching_steps, "SMALL", small)
    tasks = [
        Task("gate", [], TriggerRule.ALL_SUCCESS, chosen=[], stops_all=True),
        Task("tidy", ["gate"], TriggerRule.ALL_DONE_SETUP_SUCCESS, teardown=True),
        Task("apart", [], TriggerRule.ALL_SUCCESS),
        Task("next", ["tidy"], TriggerRule.ALL_SUCCESS),
        Task("join", ["next", "apart"], TriggerRule.ALL_DONE),
    ]
    story = Story({task.name: task for task in tasks})
    conveyor.script = story.script
    run = start_run(_saved(story))
    conveyor.held = {"apart"}
    conveyor.run()
    conveyor.held.clear()
    conveyor.run()
    by_engine, ended_as = _of_rows(run)
    assert (by_engine, ended_as) == _local(story)
    assert {name: state for name, (state, _) in by_engine.items()} == {
        "gate": TaskState.SUCCESS,
        "tidy": TaskState.SUCCESS,
        "apart": TaskState.SUCCESS,
        "next": TaskState.SKIPPED,
        "join": TaskState.SKIPPED,
    }
