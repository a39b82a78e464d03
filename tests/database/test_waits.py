"""No wait for the database is endless."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import OperationalError, transaction

from skytrail.database.backend.dbapi import NoAnswer
from skytrail.database.statement import Nothing, Statement
from skytrail.database.trouble import Trouble, trouble_of
from tests.database.conftest import Connect
from tests.troubled_database import TroubledDatabase
from tests.waiting import wait_until

#: A limit that a test can wait for.
SOON = 0.5


@dataclass
class Number:
    number: int


ONE = Statement("one", "SELECT 1 AS number", Number)


def ask(connection: Any, sql: str = "SELECT 1") -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone() if cursor.description else None


def test_a_paused_server_is_given_up_in_time(server: TroubledDatabase, connect: Connect) -> None:
    connection = connect(answer_within=SOON)
    ask(connection)
    with server.paused():
        began = time.monotonic()
        with pytest.raises(OperationalError) as caught:
            ask(connection)
        assert SOON <= time.monotonic() - began < SOON * 2
    assert isinstance(caught.value.__cause__, NoAnswer)
    assert trouble_of(caught.value) is Trouble.AWAY
    connection.close_if_unusable_or_obsolete()
    assert ask(connection) == (1,), "with the next request there is a new connection"


def test_a_prepared_statement_is_not_tried_twice(
    server: TroubledDatabase, connect: Connect
) -> None:
    connect(answer_within=SOON)
    assert ONE.one() == Number(1)
    with server.paused():
        began = time.monotonic()
        with pytest.raises(OperationalError):
            ONE.one()
        assert time.monotonic() - began < SOON * 2
    assert ONE.one() == Number(1)


def test_what_was_not_committed_is_undone(server: TroubledDatabase, connect: Connect) -> None:
    connection = connect(answer_within=SOON)
    ask(connection, "CREATE TABLE half (done int)")
    with pytest.raises(OperationalError):
        _change_half(server, connection)
    assert server.ask("SELECT * FROM half") == []


def _change_half(server: TroubledDatabase, connection: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transaction, "get_connection", lambda _using=None: connection)
        with transaction.atomic():
            ask(connection, "INSERT INTO half VALUES (1)")
            with server.paused():
                ask(connection)


def test_the_server_ends_what_is_merely_slow(connect: Connect) -> None:
    connection = connect(answer_within=SOON)
    with pytest.raises(OperationalError) as caught:
        ask(connection, "SELECT pg_sleep(60)")
    assert trouble_of(caught.value) is Trouble.BUSY
    assert connection.is_usable(), "the connection stays"


def test_a_lock_is_not_waited_for_longer(server: TroubledDatabase, connect: Connect) -> None:
    holder, waiter = connect(), connect(answer_within=SOON)
    ask(holder, "CREATE TABLE wanted (row int)")
    holder.set_autocommit(False)
    ask(holder, "LOCK TABLE wanted")
    with pytest.raises(OperationalError) as caught:
        ask(waiter, "SELECT * FROM wanted")
    assert trouble_of(caught.value) is Trouble.BUSY
    holder.rollback()
    holder.set_autocommit(True)


def test_without_a_limit_an_answer_may_take_its_time(connect: Connect) -> None:
    connection = connect()
    (mine,) = ask(connection, "SELECT pg_backend_pid()")
    assert ask(connection, "SHOW statement_timeout") == ("0",)
    assert ask(connection, f"SELECT {mine} FROM pg_sleep(1)") == (mine,)


def test_both_ends_notice_a_host_that_has_vanished(connect: Connect) -> None:
    connection = connect()
    connection.ensure_connection()
    with socket.socket(fileno=os.dup(connection.connection.fileno())) as ours:
        limits = {
            name: ours.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))
            for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
        }
        assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert limits == {
        "TCP_KEEPIDLE": 10,
        "TCP_KEEPINTVL": 5,
        "TCP_KEEPCNT": 3,
        "TCP_USER_TIMEOUT": 25_000,
    }
    assert ask(connection, "SHOW tcp_keepalives_idle") == ("10",)
    assert ask(connection, "SHOW tcp_user_timeout") == ("25000",)


@pytest.mark.parametrize("way", ["cut", "restart", "crash"])
def test_a_pool_gives_out_no_connection_that_was_cut(
    server: TroubledDatabase, connect: Connect, way: str
) -> None:
    connection = connect(answer_within=SOON, pool=3)
    ask(connection)
    connection.close()
    connection.pool.wait()
    if way == "cut":
        assert server.cut() >= 3
    else:
        server.restart(immediate=way == "crash")
    for _ in range(5):
        assert ask(connection) == (1,)
        connection.close()


def test_after_a_pause_the_pool_has_connections_again(
    server: TroubledDatabase, connect: Connect
) -> None:
    connection = connect(answer_within=SOON, pool=2)
    ask(connection)
    with server.paused():
        with pytest.raises(OperationalError):
            ask(connection)
        connection.close()

    def answers() -> bool:
        try:
            return bool(ask(connection) == (1,))
        except OperationalError:
            return False
        finally:
            connection.close()

    wait_until(answers, timeout=10, what="the pool serves")


def test_whoever_waited_for_a_connection_waits_less_for_the_answer(
    server: TroubledDatabase, connect: Connect
) -> None:
    connection = connect(answer_within=4, pool=1)
    connection.ensure_connection()
    assert 3.5 < connection.connection.answer_within <= 4


def test_a_deadlock_is_given_way_to_and_the_statement_tried_again(
    server: TroubledDatabase, connect: Connect
) -> None:
    connection = connect()
    ask(connection, "CREATE SEQUENCE tries")
    often = Statement("collide", _COLLIDES.format(times=3), Nothing)
    often.count()
    assert server.ask("SELECT last_value FROM tries") == [(4,)]
    always = Statement("collide_always", _COLLIDES.format(times=1000), Nothing)
    with pytest.raises(OperationalError) as caught:
        always.count()
    assert trouble_of(caught.value) is Trouble.COLLISION
    assert server.ask("SELECT last_value FROM tries") == [(8,)]


_COLLIDES = """
DO $$ BEGIN IF nextval('tries') <= {times} THEN RAISE SQLSTATE '40P01'; END IF; END $$
"""
