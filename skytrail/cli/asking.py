"""Secrets on their way in: from standard input or a prompt.

Never from the command line, which other people of the machine can read and shells remember.
"""

from __future__ import annotations

import sys

import typer

from skytrail.errors import Invalid

#: Characters; as much as can be kept of anything (`secrets/writing.py`, which asks for Django).
_MOST = 262_144


class NothingOnStdin(Invalid):
    """{what} is to come from standard input, but there is nothing. Send it there: {example}"""


class NoTextOnStdin(Invalid):
    """{what} is no text in UTF-8."""


class TooMuchOnStdin(Invalid):
    """{what} has more than {limit} characters."""


def from_stdin(what: str, *, example: str) -> str:
    """What standard input holds, without the line break at its end."""
    try:
        # Four bytes are the longest character there is.
        text = sys.stdin.buffer.read(4 * (_MOST + 3)).decode()
    except UnicodeDecodeError:
        raise NoTextOnStdin(what=what) from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise NothingOnStdin(what=what, example=example)
    if len(text) > _MOST:
        raise TooMuchOnStdin(what=what, limit=f"{_MOST:,}")
    return text


def somebody_is_there() -> bool:
    """Whether a prompt would be seen."""
    return sys.stdin.isatty()


def prompted(what: str) -> str:
    """A secret that somebody types, unseen; empty where they type none."""
    text: str = typer.prompt(what, default="", hide_input=True, show_default=False, err=True)
    return text
