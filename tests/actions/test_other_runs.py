"""Tasks that trigger other DAGs, or wait for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from dags_app.models import Dag
from runs_app.actions import triggering
from runs_app.actions.waking import wake
from runs_app.models import DagRun, RunType, TaskRun
from tests.conveyor import Conveyor
from tests.factories import save_dag, start_run, states, task
from tests.workers.calls import for_real

pytestmark = pytest.mark.usefixtures("committing")

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def asking(**fields: Any) -> Dag:
    return save_dag({"a": []}, name="asking", tasks={"a": fields})


def look_again(conveyor: Conveyor) -> None:
    TaskRun.objects.filter(state="up_for_reschedule").update(wake_at=Now() - timedelta(seconds=1))
    wake()
    conveyor.run()


def why(run: DagRun) -> str:
    return task(run, "a").attempts.latest("epoch").message


def end_of(run: DagRun) -> str:
    run.refresh_from_db()
    return run.state


# ------------------------------------------------------------------ triggering


def test_a_run_is_triggered_and_knows_its_parent(conveyor: Conveyor) -> None:
    conveyor.script = for_real
    save_dag({"x": []}, name="other", params={"n": {"type": "integer"}})
    run = start_run(asking(type="trigger_dag", dag_id="other", conf={"n": "{{ 1 + 2 }}"}))
    conveyor.run()
    assert end_of(run) == "success"
    made = DagRun.objects.get(dag__dag_id="other")
    assert (made.run_type, made.conf, made.parent_id) == (
        RunType.OPERATOR_TRIGGERED,
        {"n": 3},
        run.pk,
    )
    assert made.triggered_by == "task:asking.a"


def test_its_end_may_be_waited_for(conveyor: Conveyor) -> None:
    conveyor.script = for_real
    save_dag({"x": []}, name="other")
    conveyor.held = {"x"}
    run = start_run(asking(type="trigger_dag", dag_id="other", wait_for_completion=True))
    conveyor.run()
    assert states(run) == {"a": "up_for_reschedule"}
    look_again(conveyor)
    assert DagRun.objects.filter(dag__dag_id="other").count() == 1, "it is triggered once"
    conveyor.held.clear()
    conveyor.run()
    look_again(conveyor)
    assert end_of(run) == "success"
    assert task(run, "a").attempt == 1


def test_a_failure_there_is_one_here(conveyor: Conveyor) -> None:
    conveyor.script = for_real
    save_dag({"x": []}, name="other", tasks={"x": {"type": "bash", "command": "exit 1"}})
    run = start_run(asking(type="trigger_dag", dag_id="other", wait_for_completion=True))
    conveyor.run()
    look_again(conveyor)
    assert end_of(run) == "failed"
    assert "is failed" in why(run)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"dag_id": "nowhere"}, "There is no DAG 'nowhere'."),
        ({"dag_id": "other", "conf": {"m": 1}}, "the DAG has no such parameter"),
        ({"dag_id": "other", "conf": {"n": "x"}}, "conf.n"),
        ({"dag_id": "other", "run_id": "not good"}, "run_id"),
        ({"dag_id": "other", "logical_date": "soon"}, "no date and time"),
    ],
)
def test_what_cannot_be_triggered_says_why(
    conveyor: Conveyor, fields: dict[str, Any], words: str
) -> None:
    conveyor.script = for_real
    save_dag({"x": []}, name="other", params={"n": {"type": "integer", "default": 1}})
    run = start_run(asking(type="trigger_dag", **fields))
    conveyor.run()
    assert end_of(run) == "failed"
    assert words in why(run)


def test_dags_that_trigger_each_other_come_to_an_end(
    conveyor: Conveyor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triggering, "MAX_DEPTH", 5)
    conveyor.script = for_real
    start_run(asking(type="trigger_dag", dag_id="asking"))
    conveyor.run()
    assert DagRun.objects.count() == 5
    last = DagRun.objects.latest("queued_at")
    assert end_of(last) == "failed"
    assert "in a ring" in why(last)


# ------------------------------------------------------------------ waiting for


def other(**run: Any) -> DagRun:
    return start_run(save_dag({"x": [], "y": ["x"]}, name="other"), **run)


def test_the_run_of_the_same_date_is_waited_for(conveyor: Conveyor) -> None:
    conveyor.script = for_real
    save_dag({"x": []}, name="other")
    run = start_run(asking(type="external_sensor", dag_id="other"), logical_date=DAY)
    conveyor.run()
    assert "has no run 2026-03-01T00:00:00+00:00 yet" in why(run)
    other(logical_date=DAY)
    conveyor.run()
    look_again(conveyor)
    assert end_of(run) == "success"


def test_or_of_an_earlier_one(conveyor: Conveyor) -> None:
    conveyor.script = for_real
    other(logical_date=DAY)
    conveyor.run()
    dag = asking(type="external_sensor", dag_id="other", delta_seconds=86_400)
    run = start_run(dag, logical_date=DAY + timedelta(days=1))
    conveyor.run()
    assert end_of(run) == "success"


def test_tasks_of_it_may_be_waited_for(conveyor: Conveyor) -> None:
    conveyor.script = for_real
    conveyor.held = {"y"}
    made = other(logical_date=DAY)
    waits = {"type": "external_sensor", "dag_id": "other", "run_id": made.run_id}
    conveyor.run()
    first = start_run(asking(**waits, task_ids=["x"]))
    second = start_run(asking(**waits, task_ids=["x", "y"]))
    conveyor.run()
    assert end_of(first) == "success"
    assert "y is waiting" in why(second)
    conveyor.held.clear()
    conveyor.run()
    look_again(conveyor)
    assert end_of(second) == "success"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"dag_id": "nowhere"}, "There is no DAG 'nowhere'."),
        ({"dag_id": "other", "task_ids": ["z"]}, "has no task 'z'"),
    ],
)
def test_what_will_never_be_there_is_said_at_once(
    conveyor: Conveyor, fields: dict[str, Any], words: str
) -> None:
    conveyor.script = for_real
    other(logical_date=DAY)
    run = start_run(asking(type="external_sensor", **fields), logical_date=DAY)
    conveyor.run()
    assert end_of(run) == "failed"
    assert words in why(run)


def test_without_a_date_there_is_nothing_to_go_by(conveyor: Conveyor) -> None:
    conveyor.script = for_real
    save_dag({"x": []}, name="other")
    run = start_run(asking(type="external_sensor", dag_id="other"))
    conveyor.run()
    assert "no logical date" in why(run)
