from __future__ import annotations

import pytest

from runs_app.domain.outcomes import Outcome
from runs_app.domain.states import TaskState
from tests.api.checking import CheckedClient
from tests.api.stories import perform, told

pytestmark = pytest.mark.django_db

HERE = "/api/v1/dags/story/runs/first/tasks/extract"


def test_outputs_by_name(as_bob: CheckedClient) -> None:
    output = {"rows": [1, 2], "place": None}
    perform(told(), "extract", Outcome(state=TaskState.SUCCESS, output=output, is_named=True))
    found = as_bob.get(f"{HERE}/outputs").json()["results"]
    assert [(each["name"], each["value"]) for each in found] == [("place", None), ("rows", [1, 2])]
    (rows,) = as_bob.get(f"{HERE}/outputs", {"name": "rows"}).json()["results"]
    assert rows["value"] == [1, 2]
    assert as_bob.get(f"{HERE}/output").json()["value"] == output


def test_one_that_was_not_named(as_bob: CheckedClient) -> None:
    perform(told(), "extract", Outcome.success(7))
    (found,) = as_bob.get(f"{HERE}/outputs").json()["results"]
    assert (found["name"], found["value"]) == ("return_value", 7)
