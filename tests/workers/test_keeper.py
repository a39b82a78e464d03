from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runs_app.models import Attempt, TaskRun, Worker
from tests.waiting import wait_until
from tests.workers.processes import is_gone
from tests.workers.stations import ready
from workers.broker import witness
from workers.gateway import DatabaseGateway
from workers.guards import board, lease
from workers.guards.board import Board
from workers.guards.fence import Fence
from workers.guards.lease import Identity, Keeper

pytestmark = pytest.mark.usefixtures("committing")

NAME = "worker@here"


def made(directory: Path) -> Keeper:
    board = Board()
    board.safe_until = 0.0
    return Keeper(Identity(NAME, ("default",), 1), board, directory, Fence(board))


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    """A worker's keeper; its pool processes are up to the test."""
    keeper = made(tmp_path)
    keeper.start()
    wait_until(Worker.objects.filter(name=NAME, stopped_at=None).exists)
    yield keeper
    keeper.stop()


@pytest.fixture
def pool_process() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "1000"]) as process:
        yield process
        process.kill()


def claimed(**settings: float) -> TaskRun:
    """A task that is executed by this worker."""
    found = ready("empty", also=settings)
    DatabaseGateway().claim(task_run_id=found.pk, epoch=found.epoch, worker=NAME)
    found.refresh_from_db()
    return found


def show(board: Board, found: TaskRun, pid: int, *, ends_by: float = float("inf")) -> None:
    """As if pool process `pid` had written it."""
    board._put(0, pid, found.epoch, found.pk.bytes, ends_by)


def test_what_is_on_the_board_keeps_its_lease(
    keeper: Keeper, pool_process: subprocess.Popen[bytes]
) -> None:
    found = claimed()
    before = found.lease_expires_at
    assert before is not None
    show(keeper.board, found, pool_process.pid)
    keeper.renew_now()

    def renewed() -> bool:
        found.refresh_from_db()
        return found.lease_expires_at is not None and found.lease_expires_at > before

    wait_until(renewed)


def test_what_a_dead_process_has_left_is_handed_over(
    keeper: Keeper, pool_process: subprocess.Popen[bytes]
) -> None:
    found = claimed()
    show(keeper.board, found, pool_process.pid)
    pool_process.kill()
    pool_process.wait()
    keeper.collect_dead()
    wait_until(lambda: TaskRun.objects.get(pk=found.pk).state == "queued")
    assert TaskRun.objects.get(pk=found.pk).lost_count == 1


def test_a_process_whose_time_is_up_and_that_hears_nothing_is_killed(
    keeper: Keeper, pool_process: subprocess.Popen[bytes]
) -> None:
    overdue = claimed(timeout_seconds=1.5)
    show(keeper.board, overdue, pool_process.pid, ends_by=time.monotonic() - 1)
    keeper.renew_now()
    wait_until(lambda: is_gone(pool_process.pid))


def test_a_try_that_outlives_its_time_limit_in_c_code_counts_as_timed_out_and_not_as_lost(
    keeper: Keeper, pool_process: subprocess.Popen[bytes]
) -> None:
    found = claimed(timeout_seconds=1.5)
    show(keeper.board, found, pool_process.pid, ends_by=time.monotonic() - 1)
    keeper.renew_now()
    wait_until(lambda: is_gone(pool_process.pid))
    pool_process.wait()
    keeper.collect_dead()
    wait_until(lambda: TaskRun.objects.get(pk=found.pk).state == "failed")
    attempt = Attempt.objects.get(task_run=found)
    assert (attempt.reason, attempt.worker) == ("timeout", NAME)
    assert TaskRun.objects.get(pk=found.pk).lost_count == 0


def test_renewing_leases_moves_the_fence(keeper: Keeper) -> None:
    before = keeper.board.safe_until
    keeper.renew_now()
    wait_until(lambda: keeper.board.safe_until > before)
    assert witness.ask() is not None, "and leaves word of the database"


def test_a_process_that_was_told_and_hears_nothing_is_killed(
    keeper: Keeper,
    pool_process: subprocess.Popen[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lease, "patience", lambda: -board.OVERTIME)
    found = claimed()
    show(keeper.board, found, pool_process.pid)
    TaskRun.objects.filter(pk=found.pk).update(state="cancelling")

    def killed() -> bool:
        keeper.renew_now()
        return is_gone(pool_process.pid)

    wait_until(killed)


def test_at_the_end_the_worker_says_goodbye_and_hands_over_what_is_left(
    tmp_path: Path, pool_process: subprocess.Popen[bytes]
) -> None:
    keeper = made(tmp_path)
    keeper.start()
    wait_until(Worker.objects.filter(name=NAME, stopped_at=None).exists)
    found = claimed()
    show(keeper.board, found, pool_process.pid)
    pool_process.kill()
    pool_process.wait()
    keeper.stop()
    assert Worker.objects.get(name=NAME).stopped_at is not None
    assert TaskRun.objects.get(pk=found.pk).state == "queued"
    assert Attempt.objects.filter(task_run=found).exists()


def test_an_error_that_nobody_foresaw_does_not_end_it(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Keeper, "_renew", lambda _: 1 // 0)
    keeper.renew_now()
    monkeypatch.undo()
    reported = Worker.objects.get(name=NAME).last_heartbeat
    keeper.renew_now()
    wait_until(lambda: Worker.objects.get(name=NAME).last_heartbeat > reported)
