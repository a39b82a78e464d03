"""What becomes of a backfill's date whose run is there already."""

from __future__ import annotations

import pytest

from runs_app.domain.backfills import Reprocess, Treatment, treat
from runs_app.domain.states import RunState


@pytest.mark.parametrize("reprocess", Reprocess)
def test_a_date_without_a_run_gets_one_and_what_is_under_way_is_left_alone(
    reprocess: Reprocess,
) -> None:
    assert treat(reprocess, None) is Treatment.CREATED
    for state in (RunState.QUEUED, RunState.RUNNING, RunState.CANCELLING):
        assert treat(reprocess, state) is Treatment.PASSED_OVER


@pytest.mark.parametrize(
    ("reprocess", "again"),
    [
        (Reprocess.NONE, set()),
        (Reprocess.FAILED, {RunState.FAILED, RunState.CANCELLED}),
        (Reprocess.COMPLETED, {RunState.FAILED, RunState.CANCELLED, RunState.SUCCESS}),
    ],
)
def test_what_has_ended_is_run_again_as_it_is_asked_for(
    reprocess: Reprocess, again: set[RunState]
) -> None:
    ended = (RunState.SUCCESS, RunState.FAILED, RunState.CANCELLED)
    assert {state for state in ended if treat(reprocess, state) is Treatment.RERUN} == again
