from __future__ import annotations

import pytest

from runs_app.domain.outcomes import Outcome
from runs_app.domain.states import TaskState
from runs_app.models import RenderedFields
from tests.api.checking import CheckedClient
from tests.api.stories import perform, told
from tests.factories import task

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


def test_what_templates_were_filled_in_to(as_bob: CheckedClient) -> None:
    run = told()
    assert as_bob.get(f"{HERE}/rendered").json()["error"]["code"] == "nothing_rendered"
    perform(run, "extract", Outcome.success(7))
    found = task(run, "extract")
    RenderedFields.objects.create(task_run=found, epoch=1, fields={"env": {"DAY": "2026-01-31"}})
    shown = as_bob.get(f"{HERE}/rendered").json()
    assert (shown["attempt"], shown["rendered_fields"]) == (1, {"env": {"DAY": "2026-01-31"}})
    assert as_bob.get(f"{HERE}/rendered?attempt=1").json() == shown
    assert as_bob.get(f"{HERE}/rendered?attempt=2").status_code == 404
