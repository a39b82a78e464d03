"""Failed tries, and what follows them."""

from __future__ import annotations

import pytest
from django.db.models.functions import Now

from runs_app.actions.cancellation import cancel_run
from runs_app.actions.waking import wake
from runs_app.domain.outcomes import Outcome
from runs_app.models import Attempt, TaskRun
from tests.conveyor import Conveyor, ends, failing
from tests.factories import save_dag, start_run, states, task

pytestmark = pytest.mark.usefixtures("committing")

TWICE = {"tasks": {"flaky": {"retries": 2, "retry_delay_seconds": 60}}}
GRAPH = {"flaky": [], "after": ["flaky"]}


def let_time_pass() -> None:
    """The delay of every sleeping task is over."""
    TaskRun.objects.filter(wake_at__isnull=False).update(wake_at=Now())


def test_a_failed_try_waits_for_its_delay_and_is_tried_again(conveyor: Conveyor) -> None:
    conveyor.script = ends(flaky=failing())
    run = start_run(save_dag(GRAPH, **TWICE))
    conveyor.run()
    assert states(run) == {"flaky": "up_for_retry", "after": "waiting"}
    assert wake() == 0, "its time has not come"

    let_time_pass()
    conveyor.script = ends()
    assert wake() == 1
    conveyor.run()
    assert states(run) == {"flaky": "success", "after": "success"}
    assert task(run, "flaky").attempt == 2
    tries = Attempt.objects.filter(task_run=task(run, "flaky"))
    assert list(tries.values_list("number", "state")) == [(1, "failed"), (2, "success")]


def test_the_last_failed_try_fails_the_task(conveyor: Conveyor) -> None:
    conveyor.script = ends(flaky=failing())
    run = start_run(save_dag(GRAPH, **TWICE))
    for _ in range(3):
        conveyor.run()
        let_time_pass()
        wake()
    assert states(run) == {"flaky": "failed", "after": "upstream_failed"}
    assert task(run, "flaky").attempt == 3


def test_a_failure_that_no_retry_can_help_is_not_tried_again(conveyor: Conveyor) -> None:
    hopeless = Outcome.failed("no such module", reason="not_importable", may_retry=False)
    conveyor.script = ends(flaky=hopeless)
    run = start_run(save_dag(GRAPH, **TWICE))
    conveyor.run()
    assert states(run)["flaky"] == "failed"


def test_each_try_has_an_epoch_of_its_own(conveyor: Conveyor) -> None:
    conveyor.script = ends(flaky=failing())
    run = start_run(save_dag(GRAPH, **TWICE))
    conveyor.run()
    let_time_pass()
    wake()
    assert task(run, "flaky").epoch == 2


def test_a_run_that_is_cancelled_is_not_tried_again(conveyor: Conveyor) -> None:
    conveyor.script = ends(flaky=failing())
    run = start_run(save_dag(GRAPH, **TWICE))
    conveyor.run()
    cancel_run(run, actor="user:alice")
    let_time_pass()
    assert wake() == 0
    assert states(run) == {"flaky": "cancelled", "after": "cancelled"}
