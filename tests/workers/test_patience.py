from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import InternalError, OperationalError, ProgrammingError, connection

from workers.patience import patiently

pytestmark = pytest.mark.usefixtures("committing")


class Steps:
    """A step that fails as often as there are faults, and counts."""

    def __init__(self, *faults: Callable[[], None]) -> None:
        self.faults = list(faults)
        self.done = 0

    def __call__(self) -> int:
        self.done += 1
        if self.faults:
            self.faults.pop(0)()
        return answer("SELECT 42")


def answer(sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        (found,) = cursor.fetchone()
    return int(found)


def cut() -> None:
    """Somebody at the server ends this process's connection."""
    mine = answer("SELECT pg_backend_pid()")
    with psycopg.connect(**other()) as server:
        server.execute("SELECT pg_terminate_backend(%s, 1000)", [mine])
    answer("SELECT 1")


def other() -> dict[str, Any]:
    parameters = connection.get_connection_params()
    return {name: parameters[name] for name in ("dbname", "user", "password", "host", "port")}


def takes_no_changes() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
        cursor.execute("DELETE FROM skytrail_worker")


def meets_a_deadlock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$")


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """The server is not there the first time."""

    def go() -> None:
        connection.close()
        with monkeypatch.context() as patch:
            patch.setitem(connection.settings_dict, "PORT", "1")
            connection.ensure_connection()

    yield go
    connection.close()


@pytest.mark.parametrize("fault", [cut, takes_no_changes, meets_a_deadlock])
def test_a_step_that_meets_trouble_is_done_again(fault: Callable[[], None]) -> None:
    step = Steps(fault)
    assert patiently(step, seconds=20, what="ask") == 42
    assert step.done == 2


def test_however_often_it_is_tried_the_log_has_two_lines(
    away: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    step = Steps(away, away, away)
    assert patiently(step, seconds=20, what="ask") == 42
    assert step.done == 4
    began, ended = caplog.messages
    assert began.startswith("could not ask (database: away), trying again for 20 s: ")
    assert "\n" not in began
    assert ended.startswith("could ask after ")
    assert all(record.exc_info is None for record in caplog.records)


def test_patience_ends(away: Callable[[], None]) -> None:
    step = Steps(*[away] * 100)
    with pytest.raises(OperationalError):
        patiently(step, seconds=0.5, what="ask")
    assert 2 <= step.done < 10


def test_a_mistake_is_not_repeated() -> None:
    def mistaken() -> None:
        answer("SELECT nothing FROM nowhere")

    step = Steps(mistaken, mistaken)
    with pytest.raises(ProgrammingError):
        patiently(step, seconds=20, what="ask")
    assert step.done == 1


def test_a_refusal_by_a_guard_is_not_repeated() -> None:
    def refused() -> None:
        answer("DO $$ BEGIN RAISE SQLSTATE 'XX000'; END $$")

    step = Steps(refused)
    with pytest.raises(InternalError):
        patiently(step, seconds=20, what="ask")
    assert step.done == 1
