"""A run's way from its start to its end, over real rows."""

from __future__ import annotations

import pytest

from tests.conveyor import Conveyor
from tests.factories import save_dag, start_run, states

pytestmark = pytest.mark.usefixtures("committing")

DIAMOND = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}


def test_a_run_whose_tasks_all_succeed_succeeds(conveyor: Conveyor) -> None:
    run = start_run(save_dag(DIAMOND))
    conveyor.run()
    run.refresh_from_db()
    assert run.state == "success"
    assert set(states(run).values()) == {"success"}
    assert run.started_at
    assert run.finished_at
    assert run.started_at <= run.finished_at
