from __future__ import annotations

import logging
import os
import select
import signal
import threading
from collections.abc import Callable

import pytest

from tests.waiting import wait_until
from workers.guards.interruption import Interrupted, Interruption, Reason, install_again


def from_another_thread(interruption: Interruption, reason: Reason) -> threading.Thread:
    thread = threading.Thread(target=interruption.request, args=(reason,))
    thread.start()
    return thread


def wait_to_be_told() -> None:
    wait_until(lambda: False, what="the interruption")


def do(interruption: Interruption, work: Callable[[], object]) -> None:
    with interruption.interruptible():
        work()


def test_work_is_interrupted_wherever_it_waits() -> None:
    interruption = Interruption()

    def work() -> None:
        from_another_thread(interruption, Reason.TIMEOUT)
        wait_to_be_told()

    with pytest.raises(Interrupted) as caught:
        do(interruption, work)
    assert caught.value.reason is Reason.TIMEOUT


def test_work_that_has_not_begun_does_not_begin() -> None:
    interruption = Interruption()
    interruption.request(Reason.CANCELLED)
    with pytest.raises(Interrupted), interruption.interruptible():
        pytest.fail("it has begun")


def test_the_first_reason_counts() -> None:
    interruption = Interruption()
    interruption.request(Reason.CANCELLED)
    interruption.request(Reason.TIMEOUT)
    assert interruption.reason is Reason.CANCELLED


def test_outside_of_safe_places_nothing_is_raised() -> None:
    interruption = Interruption()
    with pytest.raises(Interrupted), interruption.interruptible():
        interruption.request(Reason.TIMEOUT)
    interruption.remind()
    signal.raise_signal(signal.SIGUSR2)


def test_what_user_code_makes_of_it_does_not_matter() -> None:
    interruption = Interruption()

    def work() -> None:
        try:
            from_another_thread(interruption, Reason.TIMEOUT)
            wait_to_be_told()
        except BaseException:  # noqa: BLE001
            raise ValueError("something else") from None

    with pytest.raises(Interrupted):
        do(interruption, work)


def test_it_is_raised_once_so_that_user_code_can_clean_up() -> None:
    interruption = Interruption()
    cleaned = []

    def work() -> None:
        try:
            from_another_thread(interruption, Reason.TIMEOUT)
            wait_to_be_told()
        finally:
            interruption.remind()
            cleaned.append(True)

    with pytest.raises(Interrupted):
        do(interruption, work)
    assert cleaned


def test_a_logging_handler_is_left_in_peace_until_it_is_done() -> None:
    """Its lock would stay locked otherwise, and another thread that logs would wait for ever."""
    interruption = Interruption()
    done = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            thread = from_another_thread(interruption, Reason.TIMEOUT)
            thread.join()
            done.append(interruption.is_pending)

    def work() -> None:
        logger.warning("now")
        interruption.remind()
        wait_to_be_told()

    logger = logging.getLogger("tests.interruption")
    logger.propagate = False
    logger.addHandler(handler := Handler())
    try:
        with pytest.raises(Interrupted):
            do(interruption, work)
    finally:
        logger.removeHandler(handler)
    assert done == [True]
    assert handler.lock is not None
    assert handler.lock.acquire(blocking=False)
    handler.lock.release()


def test_the_descriptor_becomes_readable() -> None:
    interruption = Interruption()
    assert select.select([interruption], [], [], 0)[0] == []
    interruption.request(Reason.CANCELLED)
    assert select.select([interruption], [], [], 0)[0] == [interruption]
    late = Interruption()
    late.request(Reason.CANCELLED)
    assert select.select([late], [], [], 0)[0] == [late]
    interruption.close()
    late.close()


def test_when_it_is_closed_nobody_can_be_told() -> None:
    interruption = Interruption()
    descriptor = interruption.fileno()
    interruption.close()
    interruption.request(Reason.CANCELLED)
    assert interruption.reason is None
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_without_a_handler_the_process_is_not_killed() -> None:
    signal.signal(signal.SIGUSR2, signal.SIG_DFL)
    interruption = Interruption()
    interruption.request(Reason.CANCELLED)
    assert interruption.reason is Reason.CANCELLED


def test_user_code_that_takes_the_signal_gives_it_back() -> None:
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    install_again()
    interruption = Interruption()
    with pytest.raises(Interrupted):
        do(interruption, lambda: interruption.request(Reason.TIMEOUT))
