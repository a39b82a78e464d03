"""Why a message found nothing to execute, for every state and epoch."""

from __future__ import annotations

import pytest

from runs_app.domain.claims import Refusal, refusal
from runs_app.domain.states import FINAL, LEASED, TaskState

T = TaskState


@pytest.mark.parametrize("state", TaskState)
def test_a_later_execution_has_taken_over(state: TaskState) -> None:
    assert refusal(state=state, epoch=3, wanted=2) is Refusal.ELSEWHERE


def test_a_row_that_is_gone_is_in_no_hands_of_ours() -> None:
    assert refusal(state=None, epoch=0, wanted=1) is Refusal.ELSEWHERE


@pytest.mark.parametrize("state", sorted(LEASED))
def test_the_same_execution_is_under_way(state: TaskState) -> None:
    assert refusal(state=state, epoch=2, wanted=2) is Refusal.ELSEWHERE


@pytest.mark.parametrize("state", sorted(FINAL | {T.UP_FOR_RETRY, T.DEFERRED}))
def test_the_same_execution_has_ended(state: TaskState) -> None:
    assert refusal(state=state, epoch=2, wanted=2) is Refusal.ENDED


@pytest.mark.parametrize("state", [T.QUEUED, T.WAITING])
def test_its_run_is_not_running(state: TaskState) -> None:
    assert refusal(state=state, epoch=2, wanted=2) is Refusal.NOT_NOW


@pytest.mark.parametrize("state", TaskState)
def test_a_step_whose_turn_has_not_come_passes_through(state: TaskState) -> None:
    """A later step of a chain is sent for the epoch it will have, and has not yet."""
    assert refusal(state=state, epoch=1, wanted=2) is Refusal.NOT_NOW
