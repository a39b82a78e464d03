"""Runs and their tasks, as they go on; cancelling and clearing."""

from __future__ import annotations

import pytest

from runs_app.domain.outcomes import Outcome
from tests.api.checking import CheckedClient
from tests.api.conftest import checked_client
from tests.api.stories import WORKER, begin, perform, problems_of, story, told
from tests.conftest import _user
from tests.conveyor import Conveyor, ends, failing
from tests.factories import save_dag, start_run, states

RUN = "dags/story/runs/first"


def test_the_status_counts_runs_by_state(as_bob: CheckedClient, conveyor: Conveyor) -> None:
    dag = story(cron="@daily")
    start_run(dag)
    start_run(dag)
    status = as_bob.get("dags/story/status").json()
    assert status["counts"] == {
        "queued": 0, "running": 2, "cancelling": 0, "success": 0, "failed": 0, "cancelled": 0,
    }  # fmt: skip
    assert len(status["runs"]) == 2
    assert status["next_run_at"] is not None


def test_tasks_are_shown_in_topological_order_with_all_that_is_known(
    as_bob: CheckedClient,
) -> None:
    run = told()
    begin(run, "extract")
    extract, load = as_bob.get(f"{RUN}/tasks").json()["results"]
    assert (extract["task_id"], load["task_id"]) == ("extract", "load")
    assert extract["state"] == "running"
    assert extract["attempt"] == 1
    assert extract["map_index"] == -1
    assert extract["worker"] == WORKER
    assert extract["queued_at"] <= extract["started_at"]
    assert extract["error"] is None
    assert "finished_at" not in extract
    assert load["state"] == "waiting"
    assert load["worker"] == ""
    assert as_bob.get(f"{RUN}/tasks/extract").json() == extract


def test_why_a_task_failed_is_shown(as_bob: CheckedClient) -> None:
    run = told()
    perform(run, "extract", Outcome.failed("it broke", reason="exit_code", exit_code=3))
    task = as_bob.get(f"{RUN}/tasks/extract").json()
    assert task["state"] == "failed"
    assert task["error"] == {"reason": "exit_code", "message": "it broke", "exit_code": 3}
    assert task["finished_at"]
    assert [attempt["state"] for attempt in task["attempts"]] == ["failed"]


def test_an_output_is_shown_and_its_absence_explained(as_bob: CheckedClient) -> None:
    run = told()
    absent = as_bob.get(f"{RUN}/tasks/extract/output")
    assert absent.status_code == 404
    assert "queued" in absent.json()["error"]["message"]
    perform(run, "extract", Outcome.success({"rows": [1, None]}))
    answer = as_bob.get(f"{RUN}/tasks/extract/output").json()
    assert answer == {"task_id": "extract", "value": {"rows": [1, None]}}


# ---------------------------------------------------------------- cancelling


def test_a_run_is_cancelled_once(as_oscar: CheckedClient) -> None:
    told()
    answer = as_oscar.post(f"{RUN}/cancel")
    assert answer.status_code == 200
    assert answer.json()["state"] == "cancelled"
    again = as_oscar.post(f"{RUN}/cancel")
    assert again.status_code == 409
    assert again.json()["error"]["code"] == "run_has_ended"


def test_a_run_that_is_being_cancelled_says_so(as_oscar: CheckedClient) -> None:
    begin(told(), "extract")
    assert as_oscar.post(f"{RUN}/cancel").json()["state"] == "cancelling"
    again = as_oscar.post(f"{RUN}/cancel")
    assert again.status_code == 409
    assert again.json()["error"]["code"] == "run_is_being_cancelled"


def test_a_task_is_cancelled_once(as_oscar: CheckedClient) -> None:
    told()
    answer = as_oscar.post(f"{RUN}/tasks/extract/cancel")
    assert answer.json()["state"] == "cancelled"
    again = as_oscar.post(f"{RUN}/tasks/extract/cancel")
    assert again.status_code == 409
    assert again.json()["error"]["code"] == "task_has_ended"


# ---------------------------------------------------------------- clearing


@pytest.mark.usefixtures("committing")
def test_clearing_makes_tasks_run_again(conveyor: Conveyor) -> None:
    client = checked_client(_user("omar", "dags_app.view_dag", "dags_app.run_dag"))
    conveyor.script = ends(load=failing())
    run = start_run(save_dag({"extract": [], "load": ["extract"]}), run_id="first")
    conveyor.run()
    assert states(run) == {"extract": "success", "load": "failed"}

    looked = client.post(f"{RUN}/clear", {"only_failed": True, "dry_run": True}).json()
    assert looked == {
        "dry_run": True,
        "tasks": [{"task_id": "load", "map_index": -1, "state": "failed"}],
    }
    assert states(run)["load"] == "failed", "a dry run changes nothing"

    cleared = client.post(f"{RUN}/clear", {"only_failed": True}).json()
    assert cleared["tasks"] == looked["tasks"]
    conveyor.script = ends()
    conveyor.run()
    assert states(run) == {"extract": "success", "load": "success"}
    assert client.get(RUN).json()["state"] == "success"


def test_clearing_what_is_not_there_is_told_with_the_place(as_oscar: CheckedClient) -> None:
    told()
    answer = as_oscar.post(f"{RUN}/clear", {"task_ids": ["extract", "lod"]})
    assert answer.status_code == 400
    assert problems_of(answer) == {"task_ids[1]": "unknown_task"}
    assert "'load'" in answer.json()["error"]["problems"][0]["message"]


def test_a_run_that_is_being_cancelled_is_not_cleared(as_oscar: CheckedClient) -> None:
    begin(told(), "extract")
    as_oscar.post(f"{RUN}/cancel")
    answer = as_oscar.post(f"{RUN}/clear")
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "run_cannot_be_cleared"
