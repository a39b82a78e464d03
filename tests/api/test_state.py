"""The state store over REST."""

from __future__ import annotations

from typing import Any

import pytest

from runs_app.models import StateEntry
from tests.api.checking import CheckedClient
from tests.api.stories import problems_of
from tests.factories import save_dag

pytestmark = pytest.mark.usefixtures("committing")

OF_TASK = "state/entry?dag_id=story&task_id=a&key=cursor"
OF_ASSET = "state/entry?asset=s3%3A%2F%2Flake&key=cursor"


@pytest.fixture(autouse=True)
def _story(committing: None) -> None:
    save_dag({"a": []})


@pytest.mark.parametrize("where", [OF_TASK, "state/entry?dag_id=story&key=cursor", OF_ASSET])
def test_a_value_is_kept_shown_and_forgotten(where: str, as_oscar: CheckedClient) -> None:
    assert as_oscar.get(where).status_code == 404
    kept = as_oscar.put(where, {"value": {"since": "2026-01-31"}})
    assert kept.status_code == 200
    assert kept.json()["written_by"] == "user:oscar"
    shown = as_oscar.get(where).json()
    assert (shown["value"], shown["is_secret"]) == ({"since": "2026-01-31"}, False)
    (listed,) = as_oscar.get("state").json()["results"]
    assert listed == shown
    assert as_oscar.delete(where).status_code == 204
    assert as_oscar.delete(where).status_code == 404


def test_only_the_version_that_was_read_is_replaced(as_oscar: CheckedClient) -> None:
    first = as_oscar.put(OF_TASK, {"value": 1, "version": 0}).json()["version"]
    assert as_oscar.put(OF_TASK, {"value": 2, "version": 0}).status_code == 409
    second = as_oscar.put(OF_TASK, {"value": 2, "version": first}).json()["version"]
    assert second > first
    assert as_oscar.delete(f"{OF_TASK}&version={first}").status_code == 409
    assert as_oscar.get(OF_TASK).json()["value"] == 2
    assert as_oscar.delete(f"{OF_TASK}&version={second}").status_code == 204


def test_a_secret_goes_in_and_never_comes_out(as_oscar: CheckedClient) -> None:
    kept = as_oscar.put(OF_TASK, {"value": "canary", "secret": True})
    assert kept.json()["value"] == "***"
    for answer in (kept, as_oscar.get(OF_TASK), as_oscar.get("state")):
        assert "canary" not in answer.content.decode()
    assert "canary" not in str(StateEntry.objects.values())


@pytest.mark.parametrize(
    ("where", "sent", "place"),
    [
        (OF_TASK, {}, "value"),
        (OF_TASK, {"value": 1, "ttl_seconds": -1}, "ttl"),
        (OF_TASK, {"value": 1, "version": -1}, "version"),
        (OF_TASK, {"value": "x" * 70_000}, "value"),
        ("state/entry?dag_id=story&task_id=a&key=a%20b", {"value": 1}, "key"),
        ("state/entry?task_id=a&key=cursor", {"value": 1}, "dag_id"),
        ("state/entry?dag_id=story&asset=x&key=cursor", {"value": 1}, "dag_id"),
    ],
)
def test_what_cannot_be_kept_is_refused(
    where: str, sent: dict[str, Any], place: str, as_oscar: CheckedClient
) -> None:
    answer = as_oscar.put(where, sent)
    assert answer.status_code == 400
    assert place in problems_of(answer)
    assert not StateEntry.objects.exists()


def test_a_task_that_is_not_there_keeps_nothing(as_oscar: CheckedClient) -> None:
    answer = as_oscar.put("state/entry?dag_id=story&task_id=zzz&key=cursor", {"value": 1})
    assert answer.status_code == 404
    assert "zzz" in answer.json()["error"]["message"]


def test_who_may_only_look_changes_nothing(as_oscar: CheckedClient, as_bob: CheckedClient) -> None:
    as_oscar.put(OF_TASK, {"value": 1})
    assert as_bob.put(OF_TASK, {"value": 2}).status_code in {403, 404}
    assert as_oscar.get(OF_TASK).json()["value"] == 1
