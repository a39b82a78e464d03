"""What the tests of REST begin with."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from django.http import StreamingHttpResponse

from dags_app.models import Dag
from runs_app.actions import attempts, logs
from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Outcome
from runs_app.models import Approval, DagRun, TaskRun
from tests.factories import save_dag, start_run, task

ROW = {"extract": [], "load": ["extract"]}

WORKER = "worker@one"


def story(**fields: Any) -> Dag:
    """A DAG of two tasks in a row."""
    return save_dag(ROW, **fields)


def told(**fields: Any) -> DagRun:
    """A run of it, named `first`."""
    return start_run(story(**fields), run_id="first")


def begin(run: DagRun, task_id: str) -> Execution:
    """A worker begins a queued task."""
    row = task(run, task_id)
    execution = attempts.claim(task_run_id=row.pk, epoch=row.epoch, worker=WORKER)
    assert isinstance(execution, Execution)
    return execution


def write(execution: Execution, sequence: int, text: str) -> None:
    """The task writes a piece of its log."""
    logs.append(
        task_run_id=execution.task_run_id, epoch=execution.epoch, sequence=sequence, text=text
    )


def end(execution: Execution, outcome: Outcome | None = None) -> None:
    """The task ends, well unless said otherwise."""
    attempts.finish(execution, outcome or Outcome.success(), worker=WORKER)


def perform(run: DagRun, task_id: str, outcome: Outcome | None = None) -> Execution:
    """A task from its beginning to its end."""
    execution = begin(run, task_id)
    end(execution, outcome)
    return execution


def asked(task_run: TaskRun, **fields: Any) -> Approval:
    """A question that a task has asked; nobody waits for it any more."""
    return Approval.objects.create(
        task_run=task_run, attempt=1, subject="Publish?", options=["Approve", "Reject"], **fields
    )


def text_of(response: Any) -> str:
    """The whole text of a streamed answer."""
    assert isinstance(response, StreamingHttpResponse), response.content

    async def read() -> bytes:
        return b"".join([piece async for piece in response])

    return async_to_sync(read)().decode()


def problems_of(response: Any) -> dict[str, str]:
    """The problems of an error, as `{path: code}`."""
    return {problem["path"]: problem["code"] for problem in response.json()["error"]["problems"]}
