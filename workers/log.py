"""What an execution writes: gathered in memory, taken in pieces, cut where it grows too long."""

from __future__ import annotations

import codecs
import contextlib
import io
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TextIO

from skytrail.documents import storable
from skytrail.security.redaction import Redactor

#: A piece is at most this many characters.
PIECE = 65_536

#: Of what is cut, this many bytes of the end are kept: the last words matter most.
TAIL = 16_384

#: Our own threads' names begin with this: what they log is about the worker and not about a task.
OUR_THREADS = "skytrail-"


@dataclass(frozen=True, slots=True)
class Piece:
    """Part number `sequence` of a log."""

    sequence: int
    text: str


class Log:
    """Takes text or bytes from one thread and gives pieces to another.

    The first `limit` bytes are kept as they come. Then follow a mark, written at once so that it
    stands there whatever happens to the worker, and at the end how much is missing and the last
    words. What the database cannot store (NUL, halves of surrogate pairs) is replaced, and secrets
    that it is told of are masked.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._fresh: list[str] = []
        self._unsent: list[Piece] = []
        self._sequence = 0
        self._room = limit
        self._is_cut = False
        self._is_closed = False
        self._over = 0
        self._tail = bytearray()
        self._redactor: Redactor | None = None
        self._held = ""

    def hide(self, redactor: Redactor) -> None:
        """From now on secrets are masked; what was written before was written without them.

        What has no line's end yet is held back meanwhile: half a secret is not recognised.
        """
        with self._lock:
            self._redactor = redactor

    def write(self, text: str) -> int:
        """Adds text, as a file would."""
        with self._lock:
            self._add(text)
        return len(text)

    def write_bytes(self, data: bytes) -> None:
        """Adds what came out of a pipe; characters may be split between calls."""
        with self._lock:
            if self._is_cut and self._redactor is None:
                # Of a flood of gigabytes only the end is ever read: nothing else is decoded.
                self._keep_end(data)
            else:
                self._add(self._decoder.decode(data))

    def take(self) -> list[Piece]:
        """The pieces written since the last call, and those that were given back."""
        with self._lock:
            return self._take()

    @property
    def length(self) -> int:
        """How many pieces have been made of it so far."""
        return self._sequence

    def give_back(self, pieces: list[Piece]) -> None:
        """Pieces that could not be kept now: they come again with the next `take`."""
        with self._lock:
            self._unsent = pieces + self._unsent

    def close_and_take(self) -> list[Piece]:
        """The last pieces, with the end of what was cut. What is written later is dropped."""
        with self._lock:
            if not self._is_closed:
                self._add(self._decoder.decode(b"", final=True))
                self._let_go()
                self._is_closed = True
                self._add_tail()
            return self._take()

    def _add(self, text: str) -> None:
        if not text or self._is_closed:
            return
        if self._redactor is not None:
            text = self._masked(text, self._redactor)
        self._put(storable(text))

    def _masked(self, text: str, redactor: Redactor) -> str:
        """What can be let go of now, masked: whole lines, and of a long one all but its end."""
        text = self._held + text
        lines = text.rfind("\n") + 1
        if len(text) - lines > 2 * redactor.longest + PIECE:
            # No end of a line is coming. A secret that reaches into the rest is kept whole.
            masked = redactor.text(text)
            lines = len(masked) - redactor.longest
            text = masked
        self._held = text[lines:]
        return redactor.text(text[:lines])

    def _let_go(self) -> None:
        held, self._held = self._held, ""
        if held and self._redactor is not None:
            self._put(storable(self._redactor.text(held)))

    def _put(self, text: str) -> None:
        if not text:
            return
        size = len(text) if text.isascii() else len(text.encode())
        if size <= self._room:
            self._room -= size
            self._fresh.append(text)
        else:
            self._cut(text.encode())

    def _cut(self, data: bytes) -> None:
        """Keeps what there is room for, and the end of the rest for later."""
        if not self._is_cut:
            self._is_cut = True
            head = data[: self._room].decode("utf-8", "ignore")  # not half a character
            self._fresh.append(head)
            self._fresh.append(
                f"\n[… log cut here: it is longer than {self._limit:,} bytes. "
                "Its end follows when the task has ended …]\n"
            )
            data = data[len(head.encode()) :] + self._decoder.getstate()[0]
            self._decoder.reset()
            self._room = -1
        self._keep_end(data)

    def _keep_end(self, data: bytes) -> None:
        if self._is_closed:
            return
        self._over += len(data)
        self._tail += data[-TAIL:]
        if len(self._tail) > 4 * TAIL:
            del self._tail[:-TAIL]

    def _add_tail(self) -> None:
        tail, text = self._end_of(TAIL)
        if len(text.encode()) > TAIL:  # what takes the place of a byte may have three
            tail, text = self._end_of(TAIL // 3)
        if missing := self._over - len(tail):
            self._fresh.append(f"[… {missing:,} bytes are missing here …]\n")
        self._fresh.append(text)

    def _end_of(self, size: int) -> tuple[bytes, str]:
        """The last `size` bytes at most, from a character's beginning, and as they are stored."""
        # Bytes 0b10…… continue a character; here is one whose beginning was dropped.
        tail = bytes(self._tail[-size:]).lstrip(bytes(range(0x80, 0xC0)))
        return tail, storable(tail.decode("utf-8", "replace"))

    def _take(self) -> list[Piece]:
        if self._fresh:
            text = "".join(self._fresh)
            self._fresh.clear()
            for start in range(0, len(text), PIECE):
                self._unsent.append(Piece(self._sequence, text[start : start + PIECE]))
                self._sequence += 1
        taken, self._unsent = self._unsent, []
        return taken


# ------------------------------------------------------------- print and logging in this process


class _Captured:
    """The log of the execution under way in this process."""

    log: Log | None = None

    @classmethod
    def forget(cls) -> None:
        """In a process that user code forks nobody would take the log's pieces."""
        cls.log = None


os.register_at_fork(after_in_child=_Captured.forget)


class _Stream(io.TextIOBase):
    """Standard output or error while user code runs; it goes wherever it should right now.

    User code may keep it, as a logging handler does that is made when its module is imported. So it
    leads to the log of whatever is under way, and to the real stream when nothing is.
    """

    encoding = "utf-8"
    errors = "replace"
    mode = "w"

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.real: TextIO | None = None
        self.buffer = _Bytes(self)

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() takes text, not {type(text).__name__}")
        target = _Captured.log or self.real
        return len(text) if target is None else target.write(text)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """It is not user code's to close."""

    def fileno(self) -> int:
        """The real one's: what a program writes that is started with it goes to the console."""
        if self.real is None:
            raise io.UnsupportedOperation("fileno")
        return self.real.fileno()

    def reconfigure(self, **_: object) -> None:
        """Text is never encoded here, so there is nothing to configure."""


class _Bytes(io.RawIOBase):
    """`sys.stdout.buffer`."""

    def __init__(self, stream: _Stream) -> None:
        super().__init__()
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        view = memoryview(data)  # type: ignore[arg-type]  # typed differently in each version
        if _Captured.log is not None:
            _Captured.log.write_bytes(view.tobytes())
        elif self._stream.real is not None:
            self._stream.real.write(view.tobytes().decode("utf-8", "replace"))
        return view.nbytes

    def close(self) -> None:
        """It is not user code's to close."""


_stdout = _Stream("<stdout>")
_stderr = _Stream("<stderr>")


_Filter = Callable[[logging.LogRecord], bool]


class _Handler(logging.Handler):
    """Sends what is logged to the log of the execution under way, if there is one."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(logging.Formatter("{asctime} {levelname} {name}: {message}", style="{"))

    def emit(self, record: logging.LogRecord) -> None:
        log = _Captured.log
        if log is not None and not (record.threadName or "").startswith(OUR_THREADS):
            try:
                log.write(self.format(record) + "\n")
            except Exception:  # noqa: BLE001  # logging's own rule: never raise into the caller
                self.handleError(record)


_handler = _Handler()


def install() -> None:
    """Lets executions capture what is logged; once per process."""
    root = logging.getLogger()
    if _handler not in root.handlers:
        _install(root)


@contextlib.contextmanager
def installed() -> Iterator[None]:
    """Within, executions can capture what is logged; afterwards all is as it was before."""
    root = logging.getLogger()
    if _handler in root.handlers:
        yield
        return
    level = root.level
    as_before = _install(root)
    try:
        yield
    finally:
        root.removeHandler(_handler)
        root.setLevel(level)
        for handler in root.handlers:
            handler.removeFilter(as_before)


def _install(root: logging.Logger) -> _Filter:
    """Adds our handler, and the answered filter to the others, so that they show no more."""
    as_before = _shown_under(root.level)
    if root.level > logging.INFO:
        for handler in root.handlers:
            handler.addFilter(as_before)
        root.setLevel(logging.INFO)
    root.addHandler(_handler)
    return as_before


def _shown_under(root_level: int) -> _Filter:
    """A filter with which the console shows what it did while the root logger had that level."""

    def shown(record: logging.LogRecord) -> bool:
        if record.levelno >= root_level:
            return True
        logger: logging.Logger | None = logging.getLogger(record.name)
        while logger is not None and logger.parent is not None:
            if logger.level:
                return record.levelno >= logger.level
            logger = logger.parent
        return False

    return shown


@contextlib.contextmanager
def capturing(log: Log) -> Iterator[None]:
    """Within, what this process prints or logs goes to `log`, whichever thread does."""
    before = sys.stdout, sys.stderr
    if not isinstance(before[0], _Stream):
        _stdout.real = before[0]
    if not isinstance(before[1], _Stream):
        _stderr.real = before[1]
    _Captured.log = log
    sys.stdout, sys.stderr = _stdout, _stderr
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        _Captured.log = None
