from __future__ import annotations

import os
import subprocess
from uuid import UUID

import pytest

from workers.guards.board import _ENTRY, PLACES, Board, Entry, _entry

KEY = UUID(int=5)


def test_it_shows_what_was_written_until_it_is_cleared() -> None:
    board = Board()
    board.write(3, KEY, 7, ends_by=12.5)
    board.write(PLACES - 1, KEY, 8)
    first, last = board.read()
    assert first == Entry(3, os.getpid(), KEY, 7, 12.5)
    assert (last.place, last.key) == (PLACES - 1, (KEY, 8))
    board.clear(3)
    assert [entry.place for entry in board.read()] == [PLACES - 1]


def test_what_a_dead_process_has_left_stands() -> None:
    board = Board()
    pid = os.fork()
    if pid == 0:
        board.write(0, KEY, 1)
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    (entry,) = board.read()
    assert (entry.pid, entry.is_alive) == (pid, False), "although nobody has waited for it yet"
    os.waitpid(pid, 0)
    assert not entry.is_alive


def test_a_writer_that_was_halted_half_way_has_changed_nothing() -> None:
    board = Board()
    board.write(0, KEY, 1)
    other = _entry(0, 2)
    board._memory[other : other + _ENTRY.size] = b"\xff" * _ENTRY.size
    assert [entry.key for entry in board.read()] == [(KEY, 1)]


def test_a_reader_never_sees_half_of_an_entry() -> None:
    board = Board()
    keys = [UUID(int=0), UUID(int=2**128 - 1)]
    pid = os.fork()
    if pid == 0:
        while True:
            board.write(0, keys[0], 0)
            board.write(0, keys[1], 1)
    try:
        seen: set[tuple[UUID, int]] = set()
        while len(seen) < 2:
            for _ in range(20_000):
                entry = board._get(0)
                seen |= {entry.key} if entry else set()
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    assert seen == {(keys[0], 0), (keys[1], 1)}


def test_a_process_of_somebody_else_counts_as_alive() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as other:
        assert Entry(0, other.pid, KEY, 1).is_alive
    assert not Entry(0, other.pid, KEY, 1).is_alive
    assert Entry(0, 1, KEY, 1).is_alive
    assert pytest.approx(Entry(0, 1, KEY, 1).ends_by) == float("inf")
