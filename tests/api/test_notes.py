"""Notes of runs."""

from __future__ import annotations

import pytest

from tests.api.checking import CheckedClient
from tests.api.stories import told

pytestmark = pytest.mark.django_db


def test_a_note_is_kept_and_taken_away(as_alice: CheckedClient) -> None:
    told()
    run = "/api/v1/dags/story/runs/first"
    assert as_alice.get(run).json()["note"] == ""
    assert as_alice.patch(run, {"note": "late data"}).json()["note"] == "late data"
    assert as_alice.get(run).json()["note"] == "late data"
    assert as_alice.patch(run, {"note": ""}).json()["note"] == ""


def test_what_cannot_be_kept_is_refused_at_its_field(as_alice: CheckedClient) -> None:
    told()
    run = "/api/v1/dags/story/runs/first"
    for body in ({"note": "x" * 10_001}, {"note": None}, {}, {"state": "success"}):
        answer = as_alice.patch(run, body)
        assert answer.status_code == 400
        assert answer.json()["error"]["problems"][0]["path"] in {"note", "state"}
