"""Next ticks follow when a zone's rules, or a country's holidays, have changed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from dags_app.actions import realigning
from dags_app.actions.realigning import realign
from dags_app.models import Dag
from tests.factories import save_dag

pytestmark = pytest.mark.usefixtures("committing")


def stored(dag: Dag) -> datetime | None:
    return Dag.objects.get(pk=dag.pk).next_run_at


def store(dag: Dag, moment: datetime) -> None:
    """As other rules have had it."""
    Dag.objects.filter(pk=dag.pk).update(next_run_at=moment)


@pytest.mark.parametrize("hours", [-1, 1, 24])
def test_a_next_tick_that_has_moved_is_found_anew(hours: int) -> None:
    dag = save_dag({"a": []}, cron="30 2 * * *", timezone="Europe/Berlin")
    other = save_dag({"a": []}, name="other", schedule={"interval_seconds": 86_400})
    tick, of_other = dag.next_run_at, other.next_run_at
    assert tick is not None
    store(dag, tick + timedelta(hours=24 + hours))
    assert realign() == 1
    assert (stored(dag), stored(other)) == (tick, of_other)
    assert realign() == 0


def test_what_is_due_stays_due() -> None:
    dag = save_dag({"a": []}, cron="@daily", catchup=True)
    assert dag.next_run_at is not None
    late = dag.next_run_at - timedelta(days=9, hours=1)
    store(dag, late)
    assert realign() == 0
    assert stored(dag) == late


def test_a_start_that_lies_ahead_is_waited_for() -> None:
    dag = save_dag({"a": []}, cron="@daily", start_date="2999-01-01")
    assert realign() == 0
    assert stored(dag) == dag.next_run_at


def test_no_tick_runs_twice_because_rules_have_changed() -> None:
    dag = save_dag({"a": []}, cron="@daily")
    assert dag.next_run_at is not None
    Dag.objects.filter(pk=dag.pk).update(last_logical_date=dag.next_run_at)
    store(dag, dag.next_run_at + timedelta(days=1))
    assert realign() == 0


def test_many_are_looked_at_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(realigning, "BATCH", 2)
    for number in range(5):
        dag = save_dag({"a": []}, name=f"dag{number}", cron="@daily")
        assert dag.next_run_at is not None
        store(dag, dag.next_run_at + timedelta(hours=1))
    assert realign() == 5
