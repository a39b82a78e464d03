"""Pools and workers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from runs_app.models import Pool, Worker
from tests.api.checking import CheckedClient
from tests.api.stories import problems_of
from tests.factories import save_dag, start_run


def test_a_pool_is_created_changed_and_deleted(as_admin: CheckedClient) -> None:
    made = as_admin.post("pools", {"name": "presses", "slots": 2})
    assert made.status_code == 201
    assert made.json()["occupied_slots"] == 0
    assert as_admin.patch("pools/presses", {"slots": 5}).json()["slots"] == 5
    put = as_admin.put("pools/presses", {"name": "presses", "slots": 1, "description": "two"})
    assert put.json()["description"] == "two"
    assert (
        as_admin.put("pools/presses", {"name": "presses", "slots": 1}).json()["description"] == ""
    )
    assert as_admin.delete("pools/presses").status_code == 204
    assert as_admin.get("pools/presses").status_code == 404


def test_a_name_that_is_taken_is_a_conflict(as_admin: CheckedClient) -> None:
    as_admin.post("pools", {"name": "presses", "slots": 2})
    answer = as_admin.post("pools", {"name": "presses", "slots": 9})
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "pool_exists"
    assert Pool.objects.get().slots == 2


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"name": "a/b"}, "name"),
        ({"name": "a\n"}, "name"),
        ({"name": "🚂"}, "name"),
        ({"name": "n" * 251}, "name"),
        ({"name": ""}, "name"),
        ({"slots": -1}, "slots"),
        ({"slots": 2**31}, "slots"),
        ({"slots": "many"}, "slots"),
        ({"slots": None}, "slots"),
        ({"occupied_slots": 3}, "occupied_slots"),
    ],
)
def test_what_cannot_be_a_pool_is_refused(
    change: dict[str, object], place: str, as_admin: CheckedClient
) -> None:
    answer = as_admin.post("pools", {"name": "presses", "slots": 2} | change)
    assert answer.status_code == 400
    assert problems_of(answer).keys() == {place}
    assert not Pool.objects.exists()


def test_a_pool_keeps_its_name(as_admin: CheckedClient) -> None:
    as_admin.post("pools", {"name": "presses", "slots": 2})
    answer = as_admin.patch("pools/presses", {"name": "printers"})
    assert answer.status_code == 400
    assert problems_of(answer) == {"name": "name_mismatch"}


def test_a_pool_that_dags_need_is_kept(as_admin: CheckedClient) -> None:
    as_admin.post("pools", {"name": "presses", "slots": 2})
    save_dag({"a": []}, tasks={"a": {"pool": "presses"}})
    answer = as_admin.delete("pools/presses")
    assert answer.status_code == 409
    assert "story" in answer.json()["error"]["message"]


def test_a_pool_that_unfinished_tasks_wait_for_is_kept(as_admin: CheckedClient) -> None:
    as_admin.post("pools", {"name": "presses", "slots": 2})
    start_run(save_dag({"a": []}, tasks={"a": {"pool": "presses"}}))
    save_dag({"a": []})
    assert as_admin.delete("pools/presses").status_code == 409


def test_workers_are_active_while_they_are_heard_of(as_oscar: CheckedClient) -> None:
    now = timezone.now()
    common = {"hostname": "one", "pid": 7, "concurrency": 2, "queues": ["default", "gpu"]}
    Worker.objects.create(name="a@one", last_heartbeat=now, **common)
    Worker.objects.create(name="b@one", last_heartbeat=now - timedelta(hours=1), **common)
    Worker.objects.create(name="c@one", last_heartbeat=now, stopped_at=now, **common)
    shown = as_oscar.get("workers").json()["results"]
    assert {worker["name"]: worker["status"] for worker in shown} == {
        "a@one": "active",
        "b@one": "inactive",
        "c@one": "inactive",
    }
    assert shown[0]["queues"] == ["default", "gpu"]
    assert shown[0]["hostname"] == "one"
    assert shown[0]["last_heartbeat"]
