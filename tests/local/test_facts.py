"""Which run is tried: its dates are those of the schedule."""

from __future__ import annotations

from datetime import UTC, datetime

from dags_app.domain.parse import parse
from workers.local.facts import RunFacts, facts_of

NOW = datetime(2026, 3, 11, 12, 30, tzinfo=UTC)


def facts(schedule: object, date: datetime | None = None) -> RunFacts:
    spec = parse({"name": "story", "schedule": schedule, "tasks": [{"id": "a"}]})
    return facts_of(spec, logical_date=date, now=NOW)


def test_a_dag_with_a_schedule_is_tried_for_its_latest_tick() -> None:
    found = facts("0 9 * * *")
    assert found.logical_date == datetime(2026, 3, 11, 9, tzinfo=UTC)
    assert found.data_interval_start == datetime(2026, 3, 10, 9, tzinfo=UTC)
    assert found.data_interval_end == found.logical_date
    assert found.run_id == "test__2026-03-11T09:00:00+00:00"


def test_a_date_that_is_given_has_the_interval_since_the_tick_before() -> None:
    date = datetime(2026, 1, 31, 10, tzinfo=UTC)
    found = facts("0 9 * * *", date)
    assert found.logical_date == date
    assert found.data_interval_start == datetime(2026, 1, 31, 9, tzinfo=UTC)


def test_a_dag_that_is_only_triggered_has_no_date_unless_it_is_given() -> None:
    assert facts(None).logical_date is None
    assert facts({"assets": ["orders"]}).logical_date is None
    assert facts(None, NOW).data_interval_start == NOW


def test_what_has_never_been_due_is_tried_for_now() -> None:
    assert facts("@once").logical_date == NOW
    assert facts("@continuous").logical_date == NOW
