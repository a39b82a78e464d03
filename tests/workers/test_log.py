from __future__ import annotations

import itertools
import sys

from hypothesis import given
from hypothesis import strategies as st

from skytrail.documents import unstorable
from tests.workers.calls import text_of
from workers.log import PIECE, TAIL, Log, capturing


def cut_up(data: bytes, places: list[int]) -> list[bytes]:
    borders = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in itertools.pairwise(borders)]


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    st.lists(st.integers(0)),
)
def test_characters_may_be_split_between_chunks(text: str, places: list[int]) -> None:
    log = Log(1_000_000)
    for chunk in cut_up(text.encode(), places):
        log.write_bytes(chunk)
    assert text_of(log) == text


@given(st.binary(), st.lists(st.integers(0)))
def test_whatever_comes_can_be_stored(data: bytes, places: list[int]) -> None:
    log = Log(1_000_000)
    for chunk in cut_up(data, places):
        log.write_bytes(chunk)
    assert unstorable(text_of(log)) == []


@given(st.lists(st.text()))
def test_text_with_anything_in_it_can_be_stored(texts: list[str]) -> None:
    log = Log(1_000_000)
    for text in texts:
        log.write(text)
    assert unstorable(text_of(log)) == []


@given(st.lists(st.text(max_size=40), max_size=60), st.integers(1, 500))
def test_it_is_never_much_longer_than_its_limit(texts: list[str], limit: int) -> None:
    log = Log(limit)
    for text in texts:
        log.write(text)
    kept = text_of(log)
    assert len(kept.encode()) <= limit + TAIL + 300
    whole = "".join(texts).replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    if len(whole.encode()) <= limit:
        assert kept == whole
    else:
        assert kept.count("log cut here") == 1
        assert kept.startswith(whole.encode()[:limit].decode("utf-8", "ignore"))


def test_the_end_of_a_long_log_is_kept_and_what_is_missing_is_counted() -> None:
    log = Log(1024)
    for number in range(100_000):
        log.write(f"line {number}\n")
    kept = text_of(log)
    assert "bytes are missing here" in kept
    assert kept.endswith("line 99999\n")


@given(st.binary(min_size=200), st.lists(st.integers(0)))
def test_the_end_of_whatever_comes_can_be_stored(data: bytes, places: list[int]) -> None:
    log = Log(100)
    for chunk in cut_up(data, places):
        log.write_bytes(chunk)
    assert unstorable(text_of(log)) == []


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=200),
    st.lists(st.integers(0)),
)
def test_characters_may_be_split_where_a_log_is_cut(text: str, places: list[int]) -> None:
    log = Log(100)
    for chunk in cut_up(text.encode(), places):
        log.write_bytes(chunk)
    head, _, rest = text_of(log).partition("\n[… log cut here")
    assert head + rest.partition("…]\n")[2] == text


def test_the_mark_stands_before_the_end_comes() -> None:
    log = Log(10)
    log.write("0123456789 and more")
    assert "log cut here" in "".join(piece.text for piece in log.take())


def test_pieces_are_numbered_and_of_a_size() -> None:
    log = Log(1_000_000)
    log.write("a" * (PIECE + 1))
    first = log.take()
    log.write("b")
    assert [piece.sequence for piece in first + log.take()] == [0, 1, 2]
    assert [len(piece.text) for piece in first] == [PIECE, 1]


def test_pieces_that_could_not_be_kept_come_again_in_order() -> None:
    log = Log(1_000)
    log.write("a")
    first = log.take()
    log.give_back(first)
    log.write("b")
    assert [(piece.sequence, piece.text) for piece in log.take()] == [(0, "a"), (1, "b")]


def test_the_last_line_needs_no_end_and_half_a_character_is_marked() -> None:
    log = Log(1_000)
    log.write_bytes("no end é".encode()[:-1])
    assert text_of(log) == "no end \ufffd"


def test_after_its_end_nothing_is_added() -> None:
    log = Log(1_000)
    text_of(log)
    log.write("too late")
    assert log.take() == []


def test_streams_are_given_back_and_those_that_were_kept_lead_home() -> None:
    before = sys.stdout, sys.stderr
    log = Log(1_000)
    with capturing(log):
        kept = sys.stdout
        kept.write("within ")
        assert not kept.isatty()
        assert kept.writable()
    assert (sys.stdout, sys.stderr) == before
    kept.write("")
    second = Log(1_000)
    with capturing(second):
        kept.write("the next")
    assert (text_of(log), text_of(second)) == ("within ", "the next")
