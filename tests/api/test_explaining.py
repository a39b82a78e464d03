"""Why? over REST: of a DAG's schedule, a run, a task, now and as of a time."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext

from runs_app.actions.dispatching_steps import dispatch
from runs_app.domain.outcomes import Outcome
from skytrail.database.clock import database_now
from tests.api.checking import CheckedClient
from tests.api.stories import begin, end, problems_of, story, told
from tests.conveyor import failing
from tests.factories import Graph, save_dag, start_run, task

RUN = "dags/story/runs/first"
LOAD = f"{RUN}/tasks/load/explain"


def test_a_task_has_a_headline_and_a_chain_of_reasons_with_links(as_bob: CheckedClient) -> None:
    run = told()
    begin(run, "extract")
    answer = as_bob.get(LOAD).json()
    assert answer["headline"] == "`load` waits for `extract`"
    (reason,) = answer["reasons"]
    started = task(run, "extract").started_at
    assert started is not None
    assert reason == {
        "code": "running",
        "text": "`extract` is running on worker@one",
        "since": reason["since"],
        "until": None,
        "about": {
            "kind": "task",
            "name": "extract",
            "dag_id": "story",
            "run_id": "first",
            "map_index": -1,
        },
        "because": [],
    }
    assert reason["since"][:19] == started.isoformat()[:19]


def test_what_was_then_is_told_as_of_then(as_bob: CheckedClient) -> None:
    run = told()
    execution = begin(run, "extract")
    then = database_now().isoformat()
    end(execution, failing("no such table"))
    dispatch(run.pk, actor="dispatcher")
    now = as_bob.get(LOAD).json()
    assert now["reasons"][0]["because"][0]["text"] == "exception: no such table"
    assert as_bob.get(LOAD, {"at": then}).json()["headline"] == "`load` waits for `extract`"
    run_then = as_bob.get(f"{RUN}/explain", {"at": then}).json()
    assert run_then["headline"] == "The run is under way: 0 of 2 tasks have ended"
    assert as_bob.get(f"{RUN}/explain").json()["headline"] == "The run has failed"


def test_an_instance_of_a_mapped_task_is_asked_about_by_its_index(as_bob: CheckedClient) -> None:
    dag = save_dag({"many": []}, tasks={"many": {"expand": {"n": [1, 2]}}})
    run = start_run(dag, run_id="first")
    end(begin(run, "many"), Outcome.expanded([{"n": 1}, {"n": 2}]))
    dispatch(run.pk, actor="dispatcher")
    address = f"{RUN}/tasks/many/explain"
    answer = as_bob.get(address, {"map_index": 1}).json()
    assert answer["headline"] == "`many[1]` lies in the queue `default`"
    assert as_bob.get(address, {"map_index": 2}).status_code == 404


def test_a_dag_is_asked_what_its_schedule_did_at_a_time(as_bob: CheckedClient) -> None:
    dag = story(cron="@daily")
    early = (dag.created_at - timedelta(days=9)).replace(hour=0, minute=0, second=0, microsecond=0)
    answer = as_bob.get("dags/story/explain", {"at": early.isoformat()}).json()
    assert answer["headline"] == "There is no run for that time"
    assert [reason["code"] for reason in answer["reasons"]] == ["not_there_yet"]


def test_a_time_that_is_none_is_refused(as_bob: CheckedClient) -> None:
    told()
    for address in ("dags/story/explain", f"{RUN}/explain", LOAD):
        answer = as_bob.get(address, {"at": "soon"})
        assert answer.status_code == 400
        assert "at" in problems_of(answer)


def test_a_run_of_many_tasks_is_explained_in_as_many_queries_as_a_small_one(
    as_bob: CheckedClient,
) -> None:
    counts = []
    for size in (2, 200):
        graph: Graph = {"first": []} | {f"t{place}": ["first"] for place in range(size)}
        run = start_run(save_dag(graph, name=f"wide{size}"), run_id="first")
        begin(run, "first")
        for address in ("explain", f"tasks/t{size - 1}/explain"):
            as_bob.get(f"dags/wide{size}/runs/first/{address}")
            with CaptureQueriesContext(connection) as queries:
                as_bob.get(f"dags/wide{size}/runs/first/{address}")
            counts.append(len(queries))
    assert counts[:2] == counts[2:]
    assert max(counts) <= 14, "of which up to six find out who asks, and the run"
