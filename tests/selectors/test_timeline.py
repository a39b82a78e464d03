"""All runs over time: drawn from what the database makes of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from dags_app.models import Dag
from runs_app.domain.pictures.scale import Scale
from runs_app.domain.pictures.timeline import Timeline
from runs_app.models import DagRun
from runs_app.selectors.spans import timeline_of
from tests.factories import save_dag

pytestmark = pytest.mark.django_db

START = datetime(2026, 1, 5, tzinfo=UTC)
HOUR = Scale(START, START + timedelta(seconds=1000))


def ran(dag: Dag, begin: float, end: float | None, state: str = "success") -> None:
    """A run from then to then, in seconds."""
    assert dag.version is not None
    start = START + timedelta(seconds=begin)
    DagRun.objects.create(
        dag=dag, version=dag.version, run_id=f"{dag.dag_id}-{begin}", run_type="manual",
        state=state, queued_at=start, started_at=start,
        finished_at=None if end is None else START + timedelta(seconds=end),
    )  # fmt: skip


def drawn(most: int = 10, **wanted: str) -> Timeline:
    return timeline_of(HOUR, most=most, **wanted)


def dag(name: str, **fields: object) -> Dag:
    return save_dag({"a": []}, name=name, **fields)


def test_failures_come_first_then_what_is_busiest() -> None:
    ran(dag("short"), 0, 10)
    ran(dag("busy"), 0, 500)
    ran(dag("bad"), 0, 1, "failed")
    ran(dag("idle"), 5, 6)
    chart = drawn(most=3)
    assert [lane.dag_id for lane in chart.lanes] == ["bad", "busy", "short"]
    assert chart.left_out == 1
    assert dict(chart.counts) == {"success": 3, "failed": 1}


def test_bars_stand_where_the_runs_were() -> None:
    one = dag("one")
    ran(one, 100, 300)
    ran(one, 500, None, "running")
    ran(one, -900, -100)
    (lane,) = drawn().lanes
    assert [(bar.x, bar.width, bar.state) for bar in lane.bars] == [
        (100, 200, "success"), (500, 500, "running"),
    ]  # fmt: skip


def test_how_many_were_under_way_is_counted() -> None:
    for name in ("a", "b", "c"):
        ran(dag(name), 0, 999)
    ran(dag("d"), 0, 5)
    chart = drawn()
    assert chart.peak == 4
    assert {block.height for block in chart.blocks} == {4, 3}


def test_runs_are_left_out_by_tag_owner_and_name() -> None:
    ran(dag("shop.a", tags=["x"], owner="ann"), 0, 5)
    ran(dag("bank.b", tags=["y"]), 0, 5)
    assert [lane.dag_id for lane in drawn(tag="x").lanes] == ["shop.a"]
    assert [lane.dag_id for lane in drawn(owner="ann").lanes] == ["shop.a"]
    assert [lane.dag_id for lane in drawn(q="BANK").lanes] == ["bank.b"]
    assert drawn(q="%").lanes == []


def test_it_is_planned_anew_for_what_is_asked() -> None:
    # From the sixth time on the server would plan a prepared statement without its values: with a
    # million task runs that took 3.6 s instead of 0.1 s.
    ran(dag("one"), 0, 5)
    for _ in range(7):
        drawn()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s",
                       ["/* timeline */%"])  # fmt: skip
        assert cursor.fetchone() == (0,)
