"""What an execution writes: gathered in memory, taken in pieces, cut where it grows too long."""

from __future__ import annotations

import codecs
import contextlib
import io
import logging
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

#: A piece is at most this many characters.
PIECE = 65_536

#: Of what is cut, this much of the end is kept: the last words matter most.
TAIL = 16_384


@dataclass(frozen=True, slots=True)
class Piece:
    """Part number `sequence` of a log."""

    sequence: int
    text: str


class Log(io.TextIOBase):
    """Takes text or bytes from one thread and gives pieces to another.

    The first `limit` bytes are kept as they come; of what follows only the end, behind a mark that
    says how much is missing. NUL, which the database cannot store, becomes U+FFFD.
    """

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit
        self._lock = threading.Lock()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._fresh: deque[str] = deque()
        self._unsent: list[Piece] = []
        self._sequence = 0
        self._kept = 0
        self._over = 0
        self._tail: deque[str] = deque()
        self._tail_size = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        """Adds text, as a file would."""
        with self._lock:
            self._add(text)
        return len(text)

    def write_bytes(self, data: bytes) -> None:
        """Adds what came out of a pipe; characters may be split between calls."""
        with self._lock:
            self._add(self._decoder.decode(data))

    def take(self) -> list[Piece]:
        """The pieces written since the last call, and those that were given back."""
        with self._lock:
            self._cut_pieces()
            taken, self._unsent = self._unsent, []
            return taken

    def give_back(self, pieces: list[Piece]) -> None:
        """Pieces that could not be kept now: they come again with the next `take`."""
        with self._lock:
            self._unsent = pieces + self._unsent

    def close_and_take(self) -> list[Piece]:
        """The last pieces: with the end of what was cut."""
        with self._lock:
            self._add(self._decoder.decode(b"", final=True))
            if self._over:
                missing = self._over - self._tail_size
                mark = f"\n[… log cut here: {missing:,} bytes are missing …]\n"
                self._fresh.append(mark)
                self._fresh.extend(self._tail)
            self._cut_pieces()
            taken, self._unsent = self._unsent, []
            return taken

    def _add(self, text: str) -> None:
        if not text:
            return
        text = text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
        size = len(text.encode())
        if not self._over and self._kept + size <= self._limit:
            self._kept += size
            self._fresh.append(text)
            return
        self._over += size
        self._tail.append(text[-TAIL:])
        self._tail_size += len(self._tail[-1].encode())
        while self._tail_size - len(self._tail[0].encode()) >= TAIL:
            self._tail_size -= len(self._tail.popleft().encode())

    def _cut_pieces(self) -> None:
        text = "".join(self._fresh)
        self._fresh.clear()
        for start in range(0, len(text), PIECE):
            self._unsent.append(Piece(self._sequence, text[start : start + PIECE]))
            self._sequence += 1


class _Handler(logging.Handler):
    """Sends what is logged to the log of the execution under way, if there is one."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(logging.Formatter("{asctime} {levelname} {name}: {message}", style="{"))
        self.log: Log | None = None

    def emit(self, record: logging.LogRecord) -> None:
        log = self.log
        if log is not None and threading.current_thread() is threading.main_thread():
            try:
                log.write(self.format(record) + "\n")
            except Exception:  # noqa: BLE001  # logging's own rule: never raise into the caller
                self.handleError(record)


_handler = _Handler()


def install() -> None:
    """Lets executions capture what is logged; once per process."""
    root = logging.getLogger()
    if _handler not in root.handlers:
        root.addHandler(_handler)
        # What the console shows stays as it was: its handlers keep the level that root had.
        for handler in root.handlers:
            if handler is not _handler and handler.level == logging.NOTSET:
                handler.setLevel(root.level)
        root.setLevel(min(root.level, logging.INFO))


@contextlib.contextmanager
def capturing(log: Log) -> Iterator[None]:
    """Within, what this thread prints or logs goes to `log`."""
    _handler.log = log
    try:
        with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
            yield
    finally:
        _handler.log = None
