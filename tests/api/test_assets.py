"""Assets and their events over REST."""

from __future__ import annotations

import pytest

from runs_app.actions import assets
from tests.api.checking import CheckedClient
from tests.factories import save_dag

pytestmark = pytest.mark.usefixtures("committing")


@pytest.fixture(autouse=True)
def _report(committing: None) -> None:
    save_dag({"a": []}, name="report", schedule={"assets": ["orders", "rates"]})


def test_an_event_is_noted_listed_and_starts_a_run(as_oscar: CheckedClient) -> None:
    made = as_oscar.post("assets/events", {"asset": "orders", "extra": {"rows": 3}})
    assert made.status_code == 201
    assert made.json()["emitted_by"] == "user:oscar"
    (waiting,) = as_oscar.get("dags/report/waiting-asset-events").json()["results"]
    assert waiting == made.json()
    as_oscar.post("assets/events", {"asset": "rates"})
    assets.start_runs()
    (run,) = as_oscar.get("dags/report/runs").json()["results"]
    assert run["run_type"] == "asset_triggered"
    events = as_oscar.get(f"dags/report/runs/{run['run_id']}/asset-events").json()["results"]
    assert [event["asset"] for event in events] == ["rates", "orders"]
    assert as_oscar.get("dags/report/waiting-asset-events").json()["results"] == []
    (only,) = as_oscar.get("assets/events?asset=rates").json()["results"]
    assert only["asset"] == "rates"


def test_assets_are_listed_by_name(as_oscar: CheckedClient) -> None:
    found = as_oscar.get("assets").json()
    assert [asset["name"] for asset in found["results"]] == ["orders", "rates"]
    assert found["next_after"] is None
    assert [a["name"] for a in as_oscar.get("assets?after=orders").json()["results"]] == ["rates"]


def test_who_may_only_look_notes_nothing(as_bob: CheckedClient) -> None:
    assert as_bob.post("assets/events", {"asset": "orders"}).status_code == 403
    assert as_bob.get("assets/events").json()["results"] == []
