"""The states of tasks and runs, and the moves between them."""

from __future__ import annotations

import pytest

from runs_app.domain.states import (
    ACTIVE,
    ALLOWED,
    FINAL,
    LEASED,
    RUN_ACTIVE,
    RUN_ALLOWED,
    RUN_FINAL,
    SLEEPING,
    RunState,
    TaskState,
)

T, R = TaskState, RunState


def test_every_state_has_its_moves() -> None:
    assert set(ALLOWED) == set(TaskState)
    assert set(RUN_ALLOWED) == set(RunState)


def test_the_groups_are_what_their_names_say() -> None:
    assert {state for state in TaskState if state.is_final} == FINAL
    assert {state for state in TaskState if state.is_active} == ACTIVE
    assert {state for state in RunState if state.is_final} == RUN_FINAL
    assert LEASED < ACTIVE
    assert not FINAL & (ACTIVE | SLEEPING)
    assert not ACTIVE & SLEEPING
    assert not RUN_FINAL & RUN_ACTIVE
    assert set(TaskState) - FINAL - ACTIVE - SLEEPING == {T.WAITING}
    assert set(RunState) - RUN_FINAL - RUN_ACTIVE == {R.QUEUED}


@pytest.mark.parametrize("state", TaskState)
def test_no_task_stays_where_it_is(state: TaskState) -> None:
    assert state not in ALLOWED[state]


@pytest.mark.parametrize("state", sorted(FINAL))
def test_what_has_ended_is_only_cleared(state: TaskState) -> None:
    assert ALLOWED[state] == {T.WAITING}


@pytest.mark.parametrize("state", sorted(set(TaskState) - FINAL))
def test_every_unfinished_task_can_be_stopped(state: TaskState) -> None:
    """At once, or, while a worker has it, by way of asking the worker."""
    assert ALLOWED[state] & {T.CANCELLED, T.CANCELLING}


@pytest.mark.parametrize("state", sorted(set(TaskState) - FINAL))
def test_every_unfinished_task_can_still_end(state: TaskState) -> None:
    reached, added = {state}, {state}
    while added:
        added = set().union(*(ALLOWED[each] for each in added)) - reached
        reached |= added
    assert reached >= {T.SUCCESS, T.FAILED, T.CANCELLED}


def test_only_what_a_worker_has_can_succeed() -> None:
    """A result is written by the one who holds the lease."""
    assert {state for state in TaskState if T.SUCCESS in ALLOWED[state]} == {
        T.RUNNING,
        T.CANCELLING,
    }


def test_what_a_worker_may_still_execute_is_not_started_again() -> None:
    """Something that stops is not queued or cleared before its end, or its lease's, is written."""
    assert not ALLOWED[T.CANCELLING] & {T.QUEUED, T.WAITING, T.RUNNING}
    assert not ALLOWED[T.RESTARTING] & {T.QUEUED, T.RUNNING}
    assert T.WAITING not in ALLOWED[T.RUNNING]


def test_only_tasks_that_wait_are_settled_by_what_came_before() -> None:
    assert {state for state in TaskState if T.UPSTREAM_FAILED in ALLOWED[state]} == {T.WAITING}


@pytest.mark.parametrize("state", sorted(SLEEPING))
def test_sleepers_are_woken_by_being_queued(state: TaskState) -> None:
    assert T.QUEUED in ALLOWED[state]


@pytest.mark.parametrize("state", sorted(RUN_FINAL))
def test_a_run_that_has_ended_is_only_taken_up_again(state: RunState) -> None:
    assert RUN_ALLOWED[state] == {R.QUEUED, R.RUNNING}


def test_a_run_that_is_being_stopped_does_not_succeed() -> None:
    """It is cancelled, or has failed where it was stopped because its time was up."""
    assert RUN_ALLOWED[R.CANCELLING] == {R.CANCELLED, R.FAILED}


def test_names_are_what_the_api_says() -> None:
    assert [str(state) for state in RunState] == [
        *("queued", "running", "cancelling"),
        *("success", "failed", "cancelled"),
    ]
    assert f"{T.UP_FOR_RETRY}" == "up_for_retry"
