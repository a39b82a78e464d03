from __future__ import annotations

import dataclasses
import json
import signal
from typing import Any

import pytest
from celery import current_task

from runs_app.domain.outcomes import Outcome
from runs_app.domain.states import TaskState
from tests.workers import chores  # registers the tasks
from tests.workers.calls import EXECUTION, Bench
from workers.executors.celery_task import timed

CHORES = chores.__name__


def run(bench: Bench, name: str, *args: Any, **kwargs: Any) -> Outcome:
    return bench.run("celery", task=f"{CHORES}.celery_{name}", args=list(args), kwargs=kwargs)


def test_a_shared_task_is_called_with_its_arguments(bench: Bench) -> None:
    assert run(bench, "give", [1, "é"]).output == [1, "é"]
    assert run(bench, "give", value=3).output == 3


def test_a_bound_task_has_a_request_as_in_celery(bench: Bench) -> None:
    output = run(bench.about(attempt=3), "bound", 5).output
    request_id = f"{EXECUTION.task_run_id}.{EXECUTION.epoch}"
    assert output == {"value": 5, "id": request_id, "retries": 2, "is_current": True}


def test_the_request_is_gone_afterwards(bench: Bench) -> None:
    run(bench, "bound", 5)
    assert chores.celery_bound.request.id is None
    assert not current_task


def test_what_nobody_wants_to_read_is_left_out(bench: Bench) -> None:
    outcome = run(bench, "of_no_interest")
    assert (outcome.state, outcome.output) == (TaskState.SUCCESS, None)
    assert "no output: " in bench.log


def test_asking_for_a_retry_is_failing_with_the_error(bench: Bench) -> None:
    outcome = run(bench, "retry", "it broke")
    assert (outcome.message, outcome.may_retry) == ("RuntimeError: it broke", True)
    assert run(bench, "autoretry").message == "RuntimeError: again and again"


@pytest.mark.parametrize(
    ("kind", "state", "may_retry"),
    [
        ("ignore", TaskState.SKIPPED, True),
        ("reject", TaskState.FAILED, False),
        ("requeue", TaskState.FAILED, True),
        ("retry", TaskState.FAILED, True),
        ("skip", TaskState.SKIPPED, True),
        ("fail", TaskState.FAILED, False),
    ],
)
def test_celerys_own_words_have_a_meaning(
    bench: Bench, kind: str, state: TaskState, may_retry: bool
) -> None:
    outcome = run(bench, "raise", kind)
    assert (outcome.state, outcome.may_retry) == (state, may_retry)
    assert outcome.message


def test_an_unknown_task_is_named_with_the_closest(bench: Bench) -> None:
    outcome = run(bench, "giev")
    assert outcome.message.startswith("task: the worker knows no Celery task")
    assert f"did you mean '{CHORES}.celery_give'?" in outcome.message
    assert "SKYTRAIL_TASK_MODULES" in outcome.message
    assert not outcome.may_retry


@pytest.mark.parametrize(
    "name", ["celery.backend_cleanup", "celery.chord", "skytrail.run", "skytrail.tick.prune"]
)
def test_tasks_of_celery_and_of_skytrail_are_no_work(bench: Bench, name: str) -> None:
    assert bench.run("celery", task=name).reason == "unknown_celery_task"


def test_arguments_that_do_not_fit_are_told(bench: Bench) -> None:
    assert run(bench, "give", 1, 2, 3).reason == "bad_arguments"


# ------------------------------------------------------------------- its own time limits


def test_a_soft_time_limit_is_an_exception_in_the_task(bench: Bench) -> None:
    assert run(bench, "softly_limited", cleans_up=True).output == "cleaned up"
    outcome = run(bench, "softly_limited", cleans_up=False)
    assert (outcome.state, outcome.reason) == (TaskState.FAILED, "timeout")
    assert "SoftTimeLimitExceeded" in outcome.message
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("name", "in_dag", "limit"),
    [("limited", None, 0.3), ("limited", 60.0, 60.0), ("give", None, None), ("giev", None, None)],
)
def test_a_tasks_time_limit_holds_where_the_dag_gives_none(
    name: str, in_dag: float | None, limit: float | None
) -> None:
    command = json.dumps({"type": "celery", "task": f"{CHORES}.celery_{name}"})
    execution = dataclasses.replace(EXECUTION, command=command, timeout_seconds=in_dag)
    assert timed(execution).timeout_seconds == limit


def test_other_types_have_no_time_limit_of_a_celery_task() -> None:
    command = json.dumps({"type": "bash", "command": "echo", "env": {"task": "celery"}})
    execution = dataclasses.replace(EXECUTION, command=command)
    assert timed(execution) is execution
