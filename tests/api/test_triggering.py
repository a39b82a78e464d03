"""Triggering runs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from runs_app.models import DagRun
from tests.api.checking import CheckedClient
from tests.api.stories import problems_of, story
from tests.factories import save_dag

PARAMS = {
    "day": {"type": "string", "pattern": "^\\d{4}-\\d{2}-\\d{2}$"},
    "limit": {"type": "integer", "minimum": 1, "default": 10},
}


def test_a_run_starts_with_what_is_known_of_it(as_oscar: CheckedClient) -> None:
    story()
    answer = as_oscar.post("dags/story/runs")
    assert answer.status_code == 201
    run = answer.json()
    assert run["run_id"].startswith("manual__")
    assert run["state"] == "running"
    assert run["triggered_by"] == "user:oscar"
    assert run["conf"] == {}
    assert run["version"] == 1
    assert "finished_at" not in run
    assert as_oscar.get(f"dags/story/runs/{run['run_id']}").json() == run


def test_run_id_and_logical_date_are_taken_as_given(as_oscar: CheckedClient) -> None:
    story()
    asked = {"run_id": "backfill:2026~1", "logical_date": "2026-03-01T09:00:00+02:00"}
    run = as_oscar.post("dags/story/runs", asked).json()
    assert run["run_id"] == "backfill:2026~1"
    assert datetime.fromisoformat(run["logical_date"]) == datetime(2026, 3, 1, 7, tzinfo=UTC)
    assert as_oscar.get("dags/story/runs/backfill:2026~1").status_code == 200


@pytest.mark.parametrize(
    ("schedule", "start"),
    [
        ("0 9 * * MON-FRI", "2026-02-27T09:00:00Z"),  # Friday's: what Monday's run is for
        ("@continuous", "2026-03-02T09:00:00Z"),
        (None, "2026-03-02T09:00:00Z"),
    ],
)
def test_a_run_with_a_date_is_for_what_the_schedules_would_be_for(
    schedule: str | None, start: str, as_oscar: CheckedClient
) -> None:
    save_dag({"a": []}, schedule=schedule, start_date="2026-01-01", catchup=False, paused=True)
    run = as_oscar.post("dags/story/runs", {"logical_date": "2026-03-02T09:00:00Z"}).json()
    assert (run["data_interval_start"], run["data_interval_end"]) == (start, "2026-03-02T09:00:00Z")


def test_a_run_id_that_is_taken_is_a_conflict(as_oscar: CheckedClient) -> None:
    story()
    as_oscar.post("dags/story/runs", {"run_id": "one"})
    answer = as_oscar.post("dags/story/runs", {"run_id": "one"})
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "run_exists"
    assert DagRun.objects.count() == 1


def test_conf_is_completed_by_the_defaults(as_oscar: CheckedClient) -> None:
    story(params=PARAMS)
    answer = as_oscar.post("dags/story/runs", {"conf": {"day": "2026-03-01"}})
    assert answer.json()["conf"] == {"day": "2026-03-01", "limit": 10}


def test_every_value_that_breaks_its_schema_is_named(as_oscar: CheckedClient) -> None:
    story(params=PARAMS)
    answer = as_oscar.post("dags/story/runs", {"conf": {"limit": 0, "dya": "2026-03-01"}})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad_conf"
    assert problems_of(answer).keys() == {"conf.limit", "conf.dya", "conf.day"}
    assert not DagRun.objects.exists()


def test_a_conf_over_its_limit_is_refused(as_oscar: CheckedClient) -> None:
    story()
    answer = as_oscar.post("dags/story/runs", {"conf": {"text": "x" * 70_000}})
    assert problems_of(answer) == {"conf": "too_large"}


@pytest.mark.parametrize(
    "run_id", ["", "a b", "a/b", "a\n", "é", "🚂", "\u202eb", "x" * 251, 7, None, ["a"]]
)
def test_a_run_id_that_cannot_stand_in_an_address_is_refused(
    run_id: object, as_oscar: CheckedClient
) -> None:
    story()
    answer = as_oscar.post("dags/story/runs", {"run_id": run_id})
    assert answer.status_code == (201 if run_id == 7 else 400)
    if run_id != 7:
        assert problems_of(answer).keys() == {"run_id"}


@pytest.mark.parametrize(
    "date", ["yesterday", "2026-02-30T00:00:00Z", "0001-01-01T00:00:00+14:00", 5, {}]
)
def test_a_logical_date_that_is_none_is_refused(date: object, as_oscar: CheckedClient) -> None:
    story()
    answer = as_oscar.post("dags/story/runs", {"logical_date": date})
    assert answer.status_code == 400
    assert problems_of(answer).keys() == {"logical_date"}


def test_a_pool_that_is_not_there_is_told_while_somebody_listens(as_oscar: CheckedClient) -> None:
    save_dag({"a": []}, tasks={"a": {"pool": "presses"}})
    answer = as_oscar.post("dags/story/runs")
    assert problems_of(answer) == {"pool": "no_such_pool"}


# ---------------------------------------------------------------- Idempotency-Key


def _ask(client: CheckedClient, key: str, /, **body: object) -> tuple[int, str]:
    answer = client.post("dags/story/runs", body, headers={"Idempotency-Key": key})
    shown = answer.json()
    return answer.status_code, shown.get("run_id") or shown["error"]["code"]


def test_the_same_key_with_the_same_body_answers_with_the_same_run(as_oscar: CheckedClient) -> None:
    story()
    code, first = _ask(as_oscar, "k", conf={"a": 1})
    assert code == 201
    assert _ask(as_oscar, "k", conf={"a": 1}) == (200, first)
    assert DagRun.objects.count() == 1


@pytest.mark.parametrize(
    "other",
    [{"conf": {"a": 2}}, {}, {"conf": {"a": 1}, "run_id": "other"}],
    ids=["another conf", "none", "another run_id"],
)
def test_the_same_key_with_another_body_is_a_conflict(
    other: dict[str, object], as_oscar: CheckedClient
) -> None:
    story()
    _ask(as_oscar, "k", conf={"a": 1})
    assert _ask(as_oscar, "k", **other) == (409, "idempotency_key_reused")
    assert DagRun.objects.count() == 1


def test_other_keys_make_other_runs_and_other_dags_have_their_own(as_oscar: CheckedClient) -> None:
    story()
    story(name="other")
    assert _ask(as_oscar, "k")[0] == _ask(as_oscar, "l")[0] == 201
    answer = as_oscar.post("dags/other/runs", headers={"Idempotency-Key": "k"})
    assert answer.status_code == 201


@pytest.mark.parametrize("key", ["", "k" * 251])
def test_a_key_of_no_length_or_too_much_is_refused(key: str, as_oscar: CheckedClient) -> None:
    story()
    answer = as_oscar.post("dags/story/runs", headers={"Idempotency-Key": key})
    assert problems_of(answer) == {"Idempotency-Key": "bad_key"}
