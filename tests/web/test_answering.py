"""A person answers a question that a task asks, on its page."""

from __future__ import annotations

import pytest

from runs_app.models import Approval
from tests.actions.test_approvals import asked
from tests.conveyor import Conveyor
from tests.web.conftest import logged_in, staff

pytestmark = pytest.mark.usefixtures("committing")


def test_a_question_is_answered_once_with_who_and_why(conveyor: Conveyor) -> None:
    run = asked(conveyor)
    approval = Approval.objects.get()
    page = f"/approvals/{approval.pk}/"
    edith = logged_in(staff("edith", "dags_app.view_dag", "dags_app.run_dag"))
    assert f"Publish {run.run_id}?" in edith.get("/approvals/").content.decode()
    refused = edith.post(page, {"choice": "maybe", "note": "because"})
    assert refused.status_code == 422
    assert ">because</textarea>" in refused.content.decode()
    assert edith.post(page, {"choice": "Approve", "note": "because"}).status_code == 302
    approval.refresh_from_db()
    answer = (approval.choice, approval.decided_by, approval.note)
    assert answer == ("Approve", "user:edith", "because")
    assert "user:edith" in edith.post(page, {"choice": "Reject"}).content.decode()
    decided = edith.get("/approvals/?which=decided").content.decode()
    assert "because" in decided
