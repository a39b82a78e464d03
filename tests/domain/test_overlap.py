"""What becomes of ticks while earlier runs have not ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dags_app.domain.timing.catchup import Tick
from dags_app.domain.timing.overlap import ONE_AT_A_TIME, Judged, OverlapPolicy, judge

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def ticks(count: int) -> tuple[Tick, ...]:
    dates = [NOON + number * timedelta(hours=1) for number in range(count)]
    return tuple(Tick(date, date, date) for date in dates)


@pytest.mark.parametrize(
    ("policy", "running", "waiting", "due", "started"),
    [
        ("allow", 3, 2, 2, [0, 1]),
        ("buffer_all", 1, 2, 2, [0, 1]),
        ("skip", 0, 0, 1, [0]),
        ("skip", 0, 0, 3, [0]),
        ("skip", 1, 0, 1, []),
        ("skip", 0, 1, 1, []),
        ("buffer_one", 0, 0, 1, [0]),
        ("buffer_one", 0, 0, 3, [0, 1]),
        ("buffer_one", 1, 0, 3, [0]),
        ("buffer_one", 1, 1, 1, []),
        ("buffer_one", 0, 1, 1, []),
        ("cancel_other", 0, 0, 1, [0]),
        ("cancel_other", 1, 1, 3, [2]),
    ],
)
def test_each_policy_lets_so_many_begin(
    policy: str, running: int, waiting: int, due: int, started: list[int]
) -> None:
    there = ticks(due)
    answer = judge(OverlapPolicy(policy), there, running=running, waiting=waiting)
    assert answer.start == tuple(there[number] for number in started)
    assert set(answer.passed_over) == set(there) - set(answer.start)
    assert answer.cancels is (policy == "cancel_other")
    assert bool(answer.reason) or not answer.passed_over


@given(
    policy=st.sampled_from(OverlapPolicy),
    running=st.integers(0, 3),
    waiting=st.integers(0, 3),
    first=st.integers(0, 4),
    second=st.integers(0, 4),
)
def test_it_does_not_matter_in_how_many_looks_ticks_are_seen(
    policy: OverlapPolicy, running: int, waiting: int, first: int, second: int
) -> None:
    """As long as no run ends between them, two looks come to what one look at both would."""
    there = ticks(first + second)
    at_once = judge(policy, there, running=running, waiting=waiting)
    one = judge(policy, there[:first], running=running, waiting=waiting)
    began, waits = settle(policy, one, running, waiting)
    two = judge(policy, there[first:], running=began, waiting=waits)
    if policy is OverlapPolicy.CANCEL_OTHER:
        assert (two if second else one).start == at_once.start
    else:
        assert one.start + two.start == at_once.start
        assert one.passed_over + two.passed_over == at_once.passed_over


def settle(policy: OverlapPolicy, judged: Judged, running: int, waiting: int) -> tuple[int, int]:
    """What is running and waiting once those that may begin have begun."""
    new = len(judged.start)
    if policy in ONE_AT_A_TIME:
        starts = min(new, 1) if not running and not waiting else 0
        return running + starts, waiting + new - starts
    return running + new, waiting


@given(running=st.integers(0, 1), waiting=st.integers(0, 1), due=st.integers(0, 6))
def test_with_buffer_one_never_more_than_one_waits(running: int, waiting: int, due: int) -> None:
    answer = judge(OverlapPolicy.BUFFER_ONE, ticks(due), running=running, waiting=waiting)
    _, waits = settle(OverlapPolicy.BUFFER_ONE, answer, running, waiting)
    assert waits <= 1
