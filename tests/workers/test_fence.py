"""Work stops before somebody else may be given it, and goes on where nobody can be."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from uuid import UUID

import pytest
import redis
from django.conf import settings as django_settings
from pytest_django import Settings

from tests.waiting import wait_until
from tests.workers.processes import is_gone
from workers.broker import witness
from workers.guards.board import Board
from workers.guards.fence import Fence, kill_after, stop_after

#: Long ago enough that whoever ran under it must be gone, by the clock of this machine.
LONG_AGO = 1000.0


@pytest.fixture(autouse=True)
def _nobody_has_seen_the_database() -> None:
    redis.Redis.from_url(django_settings.SKYTRAIL_REDIS_URL).delete(witness.KEY)


@pytest.fixture
def fence() -> Fence:
    fence = Fence(Board())
    fence.board.safe_until = time.monotonic() - LONG_AGO
    return fence


@pytest.fixture
def pool_process(fence: Fence) -> Iterator[subprocess.Popen[bytes]]:
    """One in which something is executed."""
    with subprocess.Popen(["sleep", "1000"]) as process:
        fence.board._put(0, process.pid, 1, UUID(int=5).bytes, float("inf"))
        yield process
        process.kill()


def is_safe(fence: Fence) -> bool:
    return fence.board.safe_until > time.monotonic()


def test_with_each_renewal_work_may_go_on_for_most_of_a_lease(fence: Fence) -> None:
    now = time.monotonic()
    fence.renewed(now)
    assert fence.board.safe_until == now + stop_after()


def test_an_answer_that_was_long_in_coming_takes_nothing_back(fence: Fence) -> None:
    fence.look()
    allowed = fence.board.safe_until
    fence.renewed(time.monotonic() - LONG_AGO)
    assert fence.board.safe_until == allowed


@pytest.mark.parametrize(("lease", "grace"), [(2, 1), (6, 1), (60, 5), (60, 600), (3600, 5)])
def test_work_is_told_to_stop_and_killed_before_its_lease_ends(
    lease: int, grace: int, settings: Settings
) -> None:
    settings.SKYTRAIL_LEASE_SECONDS = lease
    settings.SKYTRAIL_STOP_GRACE_SECONDS = grace
    assert lease * 2 / 3 <= stop_after() < stop_after() + kill_after() < lease
    assert stop_after() > lease / 6 * 2, "one renewal may fail"


def test_while_others_see_the_database_what_has_not_stopped_is_killed(
    fence: Fence, pool_process: subprocess.Popen[bytes]
) -> None:
    witness.leave(settling=0)
    fence.look()
    wait_until(lambda: is_gone(pool_process.pid))
    assert not is_safe(fence)


def test_before_that_it_is_only_told(fence: Fence, pool_process: subprocess.Popen[bytes]) -> None:
    witness.leave(settling=0)
    fence.board.safe_until = time.monotonic() - 0.01
    fence.look()
    assert pool_process.poll() is None
    assert not is_safe(fence), "which the companion of each pool process looks at"


def test_work_that_only_has_to_be_written_down_is_spared(
    fence: Fence, pool_process: subprocess.Popen[bytes]
) -> None:
    key = UUID(int=5).bytes
    fence.board._put(0, pool_process.pid, 1, key, float("inf"), is_working=False)
    witness.leave(settling=0)
    fence.look()
    assert pool_process.poll() is None


def test_while_the_database_is_away_for_everybody_work_goes_on(
    fence: Fence, pool_process: subprocess.Popen[bytes]
) -> None:
    fence.look()
    assert is_safe(fence)
    assert pool_process.poll() is None


def test_while_leases_are_left_alone_after_an_absence_work_goes_on(fence: Fence) -> None:
    witness.leave(settling=30)
    fence.look()
    assert is_safe(fence)


def test_who_sees_neither_database_nor_redis_stops(
    fence: Fence, pool_process: subprocess.Popen[bytes], settings: Settings
) -> None:
    settings.SKYTRAIL_REDIS_URL = "redis://127.0.0.1:1/0"
    fence.look()
    wait_until(lambda: is_gone(pool_process.pid))


def test_the_thread_looks_by_itself(fence: Fence, settings: Settings) -> None:
    settings.SKYTRAIL_LEASE_SECONDS = 2
    fence.start()
    started_with = fence.board.safe_until
    wait_until(lambda: fence.board.safe_until > started_with, what="it is excused")
    fence.stop()


def test_word_is_there_for_a_third_of_a_lease_and_says_whether_it_was_there_before(
    settings: Settings,
) -> None:
    settings.SKYTRAIL_LEASE_SECONDS = 60
    assert not witness.leave(settling=1.5), "who is cut off cannot have heard of it yet"
    assert witness.leave(settling=0)
    assert witness.ask() == witness.Seen(by_somebody=True, settling=0)
    left = redis.Redis.from_url(django_settings.SKYTRAIL_REDIS_URL).pttl(witness.KEY)
    assert isinstance(left, int)
    assert 15_000 < left <= 20_000


def test_word_cannot_be_left_where_redis_is_away(settings: Settings) -> None:
    settings.SKYTRAIL_REDIS_URL = "redis://127.0.0.1:1/0"
    assert not witness.leave(settling=0)
    assert witness.ask() is None
