"""The console shows who says what, in colour where that helps, and no secrets."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys

from skytrail.embedded.console import Console


def written(console: Console, stream: io.StringIO) -> str:
    console.line("web", "hello")
    return stream.getvalue()


def test_each_line_has_its_time_and_its_speaker() -> None:
    stream = io.StringIO()
    text = written(Console(environ={}, stream=stream), stream)
    assert re.fullmatch(r"\d\d:\d\d:\d\d web      \| hello\n", text)


def test_a_file_gets_no_colour() -> None:
    stream = io.StringIO()
    assert "\x1b[" not in written(Console(environ={}, stream=stream), stream)


def test_colour_may_be_forced() -> None:
    stream = io.StringIO()
    assert "\x1b[" in written(Console(environ={"FORCE_COLOR": "1"}, stream=stream), stream)


def test_a_terminal_gets_colour_unless_it_is_refused() -> None:
    for environ, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        with_terminal = _through_a_terminal(environ)
        assert ("\x1b[" in with_terminal) is coloured


def test_secrets_are_masked() -> None:
    stream = io.StringIO()
    Console(environ={}, hide=["s3cret", "s3cret-longer"], stream=stream).line(
        "web", "redis://:s3cret-longer@h and s3cret"
    )
    assert "redis://:***@h and ***" in stream.getvalue()


def test_a_block_is_shown_as_it_is() -> None:
    stream = io.StringIO()
    Console(environ={}, hide=["s3cret"], stream=stream).block("password s3cret")
    assert "password s3cret" in stream.getvalue()


def test_characters_that_the_terminal_does_not_know_do_no_harm() -> None:
    with io.TextIOWrapper(io.BytesIO(), "ascii") as stream:
        Console(environ={}, stream=stream).line("web", "schön 🎉")
        stream.seek(0)
        assert "sch?n ?" in stream.read()


def test_a_reader_that_is_gone_does_no_harm() -> None:
    code = """
import os, signal
from skytrail.embedded.console import Console
console = Console(environ={})
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
console.line("web", "are you there?")
signal.sigwait([signal.SIGTERM])
console.line("web", "into the void")
console.line("web", "again")
"""
    talker = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert talker.stdout
    assert b"are you there?" in talker.stdout.readline()
    talker.stdout.close()
    talker.terminate()
    assert talker.wait(timeout=10) == 0


def _through_a_terminal(environ: dict[str, str]) -> str:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream:
        Console(environ=environ, stream=stream).line("web", "hello")
        text = os.read(ours, 1_000).decode()
    os.close(ours)
    return text
