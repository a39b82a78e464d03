"""The statements and a plain model of them agree, whatever happens in whatever order.

A failure prints its steps, its seed and a blob that plays it again. `HYPOTHESIS_PROFILE=nightly`
tells 5,000 stories; `MODEL_STORIES` any number, and `MODEL_SEED` those of another time.
"""

from __future__ import annotations

import os
import secrets

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from pytest_django import Settings

from runs_app.models import DagRun
from tests.model.machine import Runs
from tests.model.mirror import ROOM_FOR_LOSSES

pytestmark = pytest.mark.usefixtures("committing")

#: Stories, and steps in each.
PROFILES = {"quick": (8, 30), "nightly": (5_000, 50)}

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "quick")


# A failure is made as short as can be, which takes its time.
@pytest.mark.timeout(900 if PROFILE == "quick" and "MODEL_STORIES" not in os.environ else 24 * 3600)
def test_the_statements_do_what_the_model_does(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.SKYTRAIL_MAX_LOST = ROOM_FOR_LOSSES
    monkeypatch.setattr("tests.doubles.make", lambda: Runs.current)
    Runs.prepare()
    chosen = int(os.environ.get("MODEL_SEED") or secrets.randbits(32))
    print(f"MODEL_SEED={chosen}")  # noqa: T201  # pytest shows it where the test fails
    run_state_machine_as_test(seed(chosen)(Runs), settings=_profile())
    assert not DagRun.objects.filter(finished_at=None).exists()


def test_a_run_that_begins_in_a_sweep_is_planned_by_its_own_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The sweep has chosen its runs before, and does not come to one that it has made room for."""
    monkeypatch.setattr("tests.doubles.make", lambda: Runs.current)
    Runs.prepare()
    story = Runs()
    story.begin(["narrow"])
    story.launch(0)
    story.carry_on(2)
    story.lose_everything()
    story.recover(later=True)
    story.the_mirror_shows_what_is_there()
    first, second = story.mirror.runs.values()
    assert (first.state, second.state) == ("success", "running")
    assert {task.state for task in second.tasks} == {"waiting"}
    story.carry_on(1)
    story.the_mirror_shows_what_is_there()
    assert second.tasks[0].state == "queued"


def _profile() -> settings:
    stories, steps = PROFILES[PROFILE]
    return settings(
        max_examples=int(os.environ.get("MODEL_STORIES") or stories),
        stateful_step_count=steps,
        deadline=None,
        database=None,
        print_blob=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
