"""Approvals over REST."""

from __future__ import annotations

import pytest

from dags_app.domain.commands import ApprovalCommand, TaskType
from runs_app.actions import approvals, attempts
from runs_app.domain.outcomes import Outcome
from runs_app.models import Approval, DagRun
from tests.api.checking import CheckedClient
from tests.api.stories import WORKER, begin, problems_of
from tests.factories import save_dag, start_run, task

pytestmark = pytest.mark.django_db


def waiting(**fields: object) -> tuple[DagRun, Approval]:
    """A run that waits for an answer."""
    question = {"type": "approval", "subject": "Publish?", **fields}
    run = start_run(save_dag({"ask": [], "go": ["ask"]}, tasks={"ask": question}), run_id="first")
    execution = begin(run, "ask")
    command = ApprovalCommand.model_validate({**question, "type": TaskType.APPROVAL})
    approvals.ask(task_run_id=execution.task_run_id, attempt=execution.attempt, command=command)
    attempts.finish(execution, Outcome.deferred(None), worker=WORKER)
    return run, Approval.objects.get()


def test_what_waits_for_an_answer_is_listed(as_oscar: CheckedClient) -> None:
    waiting()
    (row,) = as_oscar.get("approvals?pending=true").json()["results"]
    assert (row["dag_id"], row["task_id"], row["subject"]) == ("story", "ask", "Publish?")
    assert row["is_pending"]
    assert as_oscar.get("approvals?pending=false").json()["results"] == []
    assert as_oscar.get("approvals?dag_id=other").json()["results"] == []


def test_an_answer_is_kept_with_who_and_why(as_oscar: CheckedClient) -> None:
    run, approval = waiting()
    answer = as_oscar.post(
        f"approvals/{approval.pk}/decide", {"choice": "Approve", "note": "looks fine"}
    )
    assert answer.status_code == 200
    assert answer.json()["decided_by"] == "user:oscar"
    assert answer.json()["note"] == "looks fine"
    assert task(run, "ask").state == "queued", "it goes on at once"


def test_the_second_answer_hears_of_the_first(as_oscar: CheckedClient) -> None:
    _, approval = waiting()
    as_oscar.post(f"approvals/{approval.pk}/decide", {"choice": "Reject"})
    answer = as_oscar.post(f"approvals/{approval.pk}/decide", {"choice": "Approve"})
    assert answer.status_code == 409
    assert answer.json()["error"]["message"] == "user:oscar has chosen 'Reject' already."


def test_an_answer_that_is_none_of_the_options(as_oscar: CheckedClient) -> None:
    _, approval = waiting()
    answer = as_oscar.post(f"approvals/{approval.pk}/decide", {"choice": "Maybe"})
    assert answer.status_code == 400
    assert problems_of(answer) == {"choice": "unknown_option"}


def test_it_may_be_for_others_to_decide(as_oscar: CheckedClient) -> None:
    _, approval = waiting(assigned_users=["carol"])
    answer = as_oscar.post(f"approvals/{approval.pk}/decide", {"choice": "Approve"})
    assert answer.status_code == 403
    assert "carol" in answer.json()["error"]["message"]
