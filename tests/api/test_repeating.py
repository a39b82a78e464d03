"""Clearing a range of runs, with another conf, and repeating, over REST."""

from __future__ import annotations

import pytest

from tests.api.checking import CheckedClient
from tests.api.stories import problems_of
from tests.conveyor import Conveyor
from tests.factories import save_dag, start_run

pytestmark = pytest.mark.usefixtures("committing")


@pytest.fixture(autouse=True)
def _story(committing: None, conveyor: Conveyor) -> None:
    dag = save_dag({"a": []}, params={"day": 1})
    for number in (1, 2):
        start_run(dag, run_id=f"r{number}", logical_date=f"2026-01-0{number}T00:00:00Z")
    conveyor.run()


STRETCH = {"from_date": "2026-01-01T00:00:00Z", "to_date": "2026-01-31T00:00:00Z"}


def test_a_stretch_is_shown_first_and_cleared_then(as_oscar: CheckedClient) -> None:
    planned = as_oscar.post("dags/story/clear", STRETCH | {"dry_run": True}).json()
    assert [run["run_id"] for run in planned["runs"]] == ["r1", "r2"]
    assert as_oscar.get("dags/story/runs/r1").json()["state"] == "success"
    done = as_oscar.post("dags/story/clear", STRETCH | {"conf": {"day": 9}}).json()
    assert done["runs"] == planned["runs"]
    shown = as_oscar.get("dags/story/runs/r1").json()
    assert (shown["state"], shown["conf"]) == ("running", {"day": 9})
    assert shown["earlier_confs"][0]["conf"] == {"day": 1}


def test_what_is_wrong_is_named(as_oscar: CheckedClient) -> None:
    assert problems_of(as_oscar.post("dags/story/clear", {})).keys() == {"from_date", "to_date"}
    wrong = as_oscar.post("dags/story/clear", STRETCH | {"task_ids": ["zzz"]})
    assert problems_of(wrong) == {"task_ids[0]": "unknown_task"}


def test_a_run_is_repeated_as_a_run_of_its_own(as_oscar: CheckedClient) -> None:
    answer = as_oscar.post("dags/story/runs/r1/repeat", {"conf": {"day": 4}})
    assert answer.status_code == 201
    assert (answer.json()["repeats"], answer.json()["conf"]) == ("r1", {"day": 4})
    assert answer.json()["logical_date"] == "2026-01-01T00:00:00Z"
