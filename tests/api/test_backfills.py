"""Backfills over REST."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from runs_app.actions.backfilling import advance
from runs_app.models import Backfill, DagRun
from tests.api.checking import CheckedClient
from tests.api.stories import problems_of, story

JANUARY = {"dag_id": "story", "from_date": "2026-01-01", "to_date": "2026-01-05"}


def made(client: CheckedClient, **fields: Any) -> dict[str, Any]:
    answer = client.post("backfills", JANUARY | fields)
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def test_a_backfill_is_made_and_shows_how_far_it_has_come(as_oscar: CheckedClient) -> None:
    story(cron="@daily")
    shown = made(as_oscar, max_active_runs=2)
    assert (shown["state"], shown["dates"], shown["seen_to"]) == ("running", 5, 0)
    assert shown["created_by"] == "user:oscar"
    advance()
    shown = as_oscar.get(f"backfills/{shown['id']}").json()
    assert (shown["seen_to"], shown["created"], shown["active"]) == (2, 2, 2)
    (listed,) = as_oscar.get("backfills?dag_id=story&state=running").json()["results"]
    assert listed == shown
    assert as_oscar.get("backfills?dag_id=other").json()["results"] == []


def test_a_dry_run_lists_every_date_and_makes_nothing(as_oscar: CheckedClient) -> None:
    story(cron="0 6 * * *", timezone="Europe/Berlin")
    answer = as_oscar.post("backfills", JANUARY | {"dry_run": True, "run_backwards": True})
    assert answer.status_code == 200
    plan = answer.json()
    assert (plan["count"], plan["is_more"]) == (4, False)
    assert plan["counts"] == {"created": 4, "rerun": 0, "passed_over": 0}
    days = [each["local_date"] for each in plan["dates"]]
    assert days == [f"2026-01-0{day}T06:00:00+01:00" for day in (4, 3, 2, 1)]
    assert not Backfill.objects.exists()
    made(as_oscar, run_backwards=True)
    advance()
    dates = DagRun.objects.order_by("-logical_date").values_list("logical_date", flat=True)
    assert list(dates) == [datetime.fromisoformat(each["logical_date"]) for each in plan["dates"]]


def test_dates_without_an_offset_are_read_in_the_dags_zone(as_oscar: CheckedClient) -> None:
    story(cron="@daily", timezone="Asia/Kathmandu")
    shown = made(as_oscar)
    assert shown["from_date"] == "2025-12-31T18:15:00Z"
    assert shown["timezone"] == "Asia/Kathmandu"


def test_it_is_paused_resumed_and_cancelled(as_oscar: CheckedClient) -> None:
    story(cron="@daily")
    key = made(as_oscar)["id"]
    assert as_oscar.post(f"backfills/{key}/pause").json()["state"] == "paused"
    assert as_oscar.post(f"backfills/{key}/resume").json()["state"] == "running"
    advance()
    shown = as_oscar.post(f"backfills/{key}/cancel").json()
    assert (shown["state"], shown["cancelled"], shown["active"]) == ("cancelled", 5, 0)
    answer = as_oscar.post(f"backfills/{key}/pause")
    assert answer.status_code == 409
    assert "cancelled" in answer.json()["error"]["message"]


def test_a_second_one_is_a_conflict(as_oscar: CheckedClient) -> None:
    story(cron="@daily")
    made(as_oscar)
    answer = as_oscar.post("backfills", JANUARY)
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "backfill_under_way"


def test_what_is_wrong_is_said_with_its_place(as_oscar: CheckedClient) -> None:
    story(cron="@daily")
    answer = as_oscar.post("backfills", JANUARY | {"to_date": "soon", "reprocess_behavior": "all"})
    assert answer.status_code == 400
    assert problems_of(answer).keys() == {"to_date", "reprocess_behavior"}
    answer = as_oscar.post("backfills", JANUARY | {"task_ids": ["extrakt"]})
    assert problems_of(answer) == {"task_ids[0]": "unknown_task"}
    assert "did you mean 'extract'?" in answer.content.decode()
    assert as_oscar.post("backfills", JANUARY | {"dag_id": "other"}).status_code == 404
