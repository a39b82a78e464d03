"""When a failed task is tried again."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs_app.domain.retries import RetryPolicy, delay_before

policies = st.builds(
    RetryPolicy,
    delay=st.floats(0, 2_592_000),
    backoff=st.floats(0, 10),
    max_delay=st.floats(1, 2_592_000),
)
attempts = st.integers(1, 1001)


def without_jitter(policy: RetryPolicy, attempt: int) -> float:
    """Airflow's rule (`next_retry_datetime` of its TaskInstance), before jitter and cap."""
    return max(1, math.ceil(policy.delay * policy.backoff ** (attempt - 1)))


@given(policies, attempts, st.text())
def test_a_delay_is_the_same_each_time_it_is_asked_for(
    policy: RetryPolicy, attempt: int, key: str
) -> None:
    delay = delay_before(policy, attempt=attempt, key=key)
    assert delay == delay_before(policy, attempt=attempt, key=key)
    assert 0 <= delay <= policy.max_delay
    assert math.isfinite(delay)


@pytest.mark.parametrize("backoff", [0, 1, 0.0, 1.0])
def test_without_a_factor_the_delay_is_constant(backoff: float) -> None:
    policy = RetryPolicy(delay=30, backoff=backoff, max_delay=86_400)
    assert {delay_before(policy, attempt=n, key=f"k{n}") for n in range(1, 50)} == {30}


def test_no_delay_stays_none() -> None:
    assert delay_before(RetryPolicy(0, 2, 60), attempt=5, key="k") == 0


@given(st.integers(1, 30), st.floats(1.5, 5), st.text())
def test_with_a_factor_it_grows_and_scatters_up_to_twice_itself(
    attempt: int, backoff: float, key: str
) -> None:
    policy = RetryPolicy(delay=10, backoff=backoff, max_delay=float("inf"))
    base = without_jitter(policy, attempt)
    assert base <= delay_before(policy, attempt=attempt, key=key) < 2 * base


@given(st.floats(2, 10), st.floats(1, 1e6), st.floats(1, 1e6), st.text())
def test_from_try_to_try_it_never_shrinks(
    backoff: float, delay: float, cap: float, key: str
) -> None:
    """Even the least jitter of the next try is no less than the most of this one, at factor 2."""
    policy = RetryPolicy(delay=math.ceil(delay), backoff=math.ceil(backoff), max_delay=cap)
    delays = [delay_before(policy, attempt=n, key=f"{key}#{n}") for n in range(1, 40)]
    assert all(earlier <= later for earlier, later in pairwise(delays))
    assert delays[-1] == cap


def test_tasks_that_failed_together_do_not_come_back_together() -> None:
    policy = RetryPolicy(delay=300, backoff=2, max_delay=86_400)
    delays = {delay_before(policy, attempt=1, key=f"run#task{i}#1") for i in range(100)}
    assert len(delays) > 70


def test_the_jitter_does_not_change_from_release_to_release() -> None:
    """A worker and the recovery that takes its place must come to the same moment."""
    policy = RetryPolicy(delay=300, backoff=2, max_delay=86_400)
    assert [delay_before(policy, attempt=n, key="dag#task#1") for n in (1, 2, 3, 20)] == [
        *(334.0, 634.0, 1834.0, 86400),
    ]


def test_absurdly_many_tries_reach_the_cap_and_no_error() -> None:
    policy = RetryPolicy(delay=2_592_000, backoff=10, max_delay=60)
    assert delay_before(policy, attempt=1_000_000, key="k") == 60
