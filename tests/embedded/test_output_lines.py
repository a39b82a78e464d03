"""Whatever a program writes arrives as lines: in pieces, without end, in no known encoding."""

from __future__ import annotations

from skytrail.embedded.lines import Lines


def test_lines_are_put_together_from_pieces() -> None:
    lines = Lines()
    assert lines.feed(b"one\ntw") == ["one"]
    assert lines.feed(b"o\r\n\nthree") == ["two", ""]
    assert lines.rest() == ["three"]
    assert lines.rest() == []


def test_a_character_cut_in_two_is_whole_again() -> None:
    first, second = "schön\n".encode()[:5], "schön\n".encode()[5:]
    lines = Lines()
    assert [*lines.feed(first), *lines.feed(second)] == ["schön"]


def test_what_is_no_utf8_is_replaced() -> None:
    assert Lines().feed(b"caf\xe9!\n") == ["caf\ufffd!"]


def test_a_character_that_never_ends_is_replaced() -> None:
    lines = Lines()
    lines.feed(b"caf\xc3")
    assert lines.rest() == ["caf\ufffd"]


def test_a_very_long_line_is_cut_and_says_by_how_much() -> None:
    lines = Lines(longest=10)
    assert lines.feed(b"x" * 25) == []
    assert lines.feed(b"x" * 25 + b"\nshort\n") == [f"{'x' * 10} … [40 more characters]", "short"]


def test_a_very_long_line_without_end_is_cut_too() -> None:
    lines = Lines(longest=10)
    assert lines.feed(b"x" * 1_500) == []
    assert lines.rest() == [f"{'x' * 10} … [1,490 more characters]"]
