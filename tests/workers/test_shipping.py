from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError

from runs_app.domain.executions import Execution
from tests.waiting import wait_until
from tests.workers.calls import EXECUTION
from workers.log import Log, Piece
from workers.shipping import Shipper


class Shelf:
    """A gateway that keeps what it is sent, or refuses it for a while, or does not answer."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.refusals = 0
        self.answers = threading.Event()
        self.answers.set()

    def append_log(self, execution: Execution, piece: Piece) -> None:
        self.answers.wait(timeout=30)
        if self.refusals:
            self.refusals -= 1
            raise OperationalError("away")
        self.pieces.append(piece)

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def shipper(shelf: Shelf, django_db_blocker: Any) -> Iterator[Shipper]:
    gateway: Any = shelf
    shipper = Shipper(gateway)
    shipper.start()
    yield shipper
    shelf.answers.set()
    shipper.stop()


def test_the_log_is_sent_while_work_goes_on(shipper: Shipper, shelf: Shelf) -> None:
    log = Log(1_000)
    with shipper.shipping(EXECUTION, log):
        log.write("first ")
        wait_until(lambda: shelf.text == "first ")
        log.write("second")
        wait_until(lambda: shelf.text == "first second")
    assert [piece.sequence for piece in shelf.pieces] == [0, 1]


def test_what_could_not_be_sent_is_sent_again_in_order(shipper: Shipper, shelf: Shelf) -> None:
    shelf.refusals = 2
    log = Log(1_000_000)
    with shipper.shipping(EXECUTION, log):
        log.write("a" * 100_000)
        wait_until(lambda: len(shelf.text) == 100_000)
    assert [piece.sequence for piece in shelf.pieces] == [0, 1]


def test_after_the_end_nothing_is_sent_any_more(shipper: Shipper, shelf: Shelf) -> None:
    """The rest is written together with the end, and must not come twice or later."""
    for _ in range(200):
        log = Log(1_000)
        before = len(shelf.pieces)
        with shipper.shipping(EXECUTION, log):
            log.write("text")
            load = shipper._load
            assert load is not None
            other = threading.Thread(target=shipper.ship, args=(load,))
            other.start()
        rest = log.close_and_take()
        other.join()
        assert len(shelf.pieces) - before + len(rest) == 1


def test_work_goes_on_while_the_database_does_not_answer(shipper: Shipper, shelf: Shelf) -> None:
    shelf.answers.clear()
    log = Log(1_000)
    with shipper.shipping(EXECUTION, log):
        log.write("text")
        load = shipper._load
        assert load is not None
        wait_until(load.sending.locked, what="the shipper waits for the database")
        log.write("more")
        shelf.answers.set()
    assert shelf.text + "".join(piece.text for piece in log.close_and_take()) == "textmore"
