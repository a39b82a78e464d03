"""Lists: pages that a cursor leads through, and filters that refuse what they do not know."""

from __future__ import annotations

from datetime import timedelta
from itertools import chain
from urllib.parse import quote

import pytest

from dags_app.models import Dag
from runs_app.actions.launching import RunRequest, insert, run_id_for
from runs_app.models import DagRun, RunType
from tests.api.checking import CheckedClient
from tests.api.stories import begin, end, problems_of, story, told
from tests.conveyor import failing
from tests.factories import save_dag, start_run


def runs(dag: Dag, count: int) -> list[str]:
    """So many runs, created by one statement, and so at the same moment."""
    names = [f"run{number:03}" for number in range(count)]
    insert([(dag, RunRequest(run_id=name)) for name in names], actor="user:alice", start=False)
    return names


def walk(client: CheckedClient, address: str | None, key: str = "run_id") -> list[list[str]]:
    """The pages from `address` on, to the end."""
    pages = []
    while address is not None:
        page = client.get(address).json()
        pages.append([row[key] for row in page["results"]])
        address = page["next"]
    return pages


def test_pages_hold_every_row_once_however_many_share_a_time(as_bob: CheckedClient) -> None:
    names = runs(story(), 23)
    pages = walk(as_bob, "runs?limit=5")
    assert [len(page) for page in pages] == [5, 5, 5, 5, 3]
    assert sorted(chain(*pages)) == names


def test_previous_leads_back_through_the_same_pages(as_bob: CheckedClient) -> None:
    runs(story(), 12)
    first = as_bob.get("runs?limit=5").json()
    second = as_bob.get(first["next"]).json()
    third = as_bob.get(second["next"]).json()
    assert first["previous"] is None
    assert third["next"] is None
    assert as_bob.get(third["previous"]).json() == second
    assert as_bob.get(second["previous"]).json()["results"] == first["results"]


def test_rows_added_meanwhile_shift_nothing(as_bob: CheckedClient) -> None:
    dag = story()
    names = runs(dag, 10)
    first = as_bob.get("runs?limit=4").json()
    start_run(dag, run_id="meanwhile")
    rest = walk(as_bob, first["next"])
    seen = [row["run_id"] for row in first["results"]] + list(chain(*rest))
    assert sorted(seen) == names


def test_a_row_deleted_meanwhile_takes_no_other_with_it(as_bob: CheckedClient) -> None:
    names = runs(story(), 10)
    first = as_bob.get("runs?limit=4").json()
    gone = first["results"][-1]["run_id"]
    DagRun.objects.get(run_id=gone).task_runs.all().delete()
    DagRun.objects.filter(run_id=gone).update(dag=save_dag({"a": []}, name="elsewhere"))
    seen = [row["run_id"] for row in first["results"]] + list(chain(*walk(as_bob, first["next"])))
    assert sorted(seen) == names


def test_filters_stay_with_the_cursor(as_bob: CheckedClient) -> None:
    runs(story(), 6)
    runs(story(name="other"), 6)
    pages = walk(as_bob, "runs?dag_id=other&limit=4", "dag_id")
    assert pages == [["other"] * 4, ["other"] * 2]


@pytest.mark.parametrize(
    "forged",
    ["{made}x", "x{made}", "", "%F0%9F%9A%82", "a:b:c", "{made}{made}"],
    ids=["longer", "shifted", "empty", "emoji", "made up", "doubled"],
)
def test_a_cursor_that_was_not_made_here_is_refused(forged: str, as_bob: CheckedClient) -> None:
    runs(story(), 3)
    made = as_bob.get("runs?limit=1").json()["next"].partition("cursor=")[2].partition("&")[0]
    answer = as_bob.get(f"runs?limit=1&cursor={forged.format(made=made)}")
    assert answer.status_code == 400
    assert problems_of(answer) == {"cursor": "bad_cursor"}


def test_a_cursor_of_another_list_is_refused(as_bob: CheckedClient) -> None:
    runs(story(), 3)
    cursor = as_bob.get("runs?limit=1").json()["next"].partition("cursor=")[2].partition("&")[0]
    assert problems_of(as_bob.get(f"dags?cursor={cursor}")) == {"cursor": "bad_cursor"}


@pytest.mark.parametrize("limit", ["0", "201", "-1", "ten", "1.5", "", "9" * 5000, "٣", "1e2"])
def test_page_sizes_have_bounds(limit: str, as_bob: CheckedClient) -> None:
    answer = as_bob.get(f"runs?limit={limit}")
    assert answer.status_code == 400
    assert problems_of(answer) == {"limit": "bad_limit"}
    assert "from 1 to 200" in answer.json()["error"]["problems"][0]["message"]


def test_a_page_has_fifty_rows_unless_asked_and_two_hundred_at_most(as_bob: CheckedClient) -> None:
    runs(story(), 201)
    assert len(as_bob.get("runs").json()["results"]) == 50
    assert len(as_bob.get("runs?limit=200").json()["results"]) == 200


# ---------------------------------------------------------------- filters


def shown(client: CheckedClient, question: str, key: str = "run_id") -> set[str]:
    """What the list shows."""
    return {row[key] for row in client.get(question).json()["results"]}


def test_runs_by_state_in_both_spellings(as_oscar: CheckedClient) -> None:
    dag = story(max_active_runs=1)
    start_run(dag, run_id="runs")
    start_run(dag, run_id="waits")
    assert shown(as_oscar, "runs?state=running") == {"runs"}
    assert shown(as_oscar, "runs?state=running,queued") == {"runs", "waits"}
    assert shown(as_oscar, "runs?state=running&state=queued") == {"runs", "waits"}
    assert shown(as_oscar, "runs?state=failed") == set()


def test_runs_by_dag_type_and_time(as_bob: CheckedClient) -> None:
    dag = story()
    run = start_run(dag, run_id="manual")
    moment = run.queued_at
    named = run_id_for(RunType.SCHEDULED, moment)
    request = RunRequest(run_type=RunType.SCHEDULED, run_id=named, logical_date=moment)
    insert([(dag, request)], actor="schedule")
    start_run(story(name="other"), run_id="elsewhere")
    assert shown(as_bob, "runs?run_type=scheduled") == {named}
    assert shown(as_bob, "dags/story/runs") == {"manual", named}
    assert shown(as_bob, "runs?dag_id=other") == {"elsewhere"}
    before, after = (quote((moment + timedelta(hours=h)).isoformat()) for h in (-1, 1))
    assert shown(as_bob, f"runs?queued_after={after}") == set()
    assert shown(as_bob, f"runs?queued_before={before}") == set()
    assert len(shown(as_bob, f"runs?queued_after={before}&queued_before={after}")) == 3


def test_tasks_by_state(as_bob: CheckedClient) -> None:
    end(begin(told(), "extract"), failing())
    assert shown(as_bob, "dags/story/runs/first/tasks?state=failed", "task_id") == {"extract"}


def test_dags_by_tag_owner_pause_and_text(as_bob: CheckedClient) -> None:
    story(name="one", tags=["daily", "eu"], owner="data")
    story(name="two", tags=["eu"], description="Loads the Presses", paused=True)
    key = "dag_id"
    assert shown(as_bob, "dags?tag=daily", key) == {"one"}
    assert shown(as_bob, "dags?owner=data", key) == {"one"}
    assert shown(as_bob, "dags?paused=true", key) == {"two"}
    assert shown(as_bob, "dags?q=presses", key) == {"two"}
    assert shown(as_bob, "dags?q=100%25_", key) == set(), "no wildcards"
    assert shown(as_bob, "dags?q=%F0%9F%9A%82", key) == set()


@pytest.mark.parametrize(
    ("question", "name", "allowed"),
    [
        ("runs?state=runing", "state[0]", "queued, running, cancelling"),
        ("runs?run_type=cron", "run_type", "scheduled, manual, backfill"),
        ("runs?queued_after=yesterday", "queued_after", "YYYY-MM-DD"),
        ("runs?colour=red", "colour", "state, run_type"),
        ("runs?state=running&limit=5&ordering=x", "ordering", "limit, cursor"),
        ("runs?dag_id=a&dag_id=b", "dag_id", "once"),
        ("runs?dag_id=", "dag_id", "blank"),
        ("dags?paused=perhaps", "paused", "boolean"),
        ("dead-letters?failed_after=noon", "failed_after", "YYYY-MM-DD"),
        ("dead-letters?dag=a", "dag", "dag_id, run_id, task_id, reason, queue"),
        ("dags?name=a", "name", "tag, owner, paused, q"),
        ("dags/story/runs?dag_id=story", "dag_id", "state, run_type"),
        ("dags/story/runs/first/tasks?state=running,done", "state[1]", "waiting, queued"),
        ("dags/story/runs/first/tasks/extract?map_index=x", "map_index", "integer"),
        ("dags/story/runs/first/tasks/extract?map_index=99999999999", "map_index", "2147483647"),
        ("dags/story/runs/first/tasks/extract/logs?attempt=0", "attempt", "1"),
        ("dags/story/runs/first/tasks/extract/logs?follow=yes!", "follow", "boolean"),
    ],
)
def test_what_a_filter_does_not_know_it_names_with_what_it_does(
    question: str, name: str, allowed: str, as_bob: CheckedClient
) -> None:
    told()
    answer = as_bob.get(question)
    assert answer.status_code == 400
    (problem,) = answer.json()["error"]["problems"]
    assert problem["path"] == name
    assert allowed in problem["message"]
