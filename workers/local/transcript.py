"""What an execution has written, to be read while it goes on and afterwards."""

from __future__ import annotations

import threading
from typing import Any

from workers.log import Log

#: What is kept of a log, in bytes.
_LIMIT = 1_048_576


class Transcript:
    """A log and all that has been taken of it. Written by one thread, read by any."""

    def __init__(self) -> None:
        #: What its templates were filled in to.
        self.rendered: dict[str, Any] = {}
        self.log = Log(_LIMIT)
        self._lock = threading.Lock()
        self._text = ""

    @property
    def text(self) -> str:
        """All of it, so far."""
        with self._lock:
            self._text += "".join(piece.text for piece in self.log.take())
            return self._text

    def close(self) -> None:
        """Takes the end; what is written later is dropped."""
        with self._lock:
            self._text += "".join(piece.text for piece in self.log.close_and_take())
