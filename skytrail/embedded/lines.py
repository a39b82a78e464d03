"""The lines in what a program writes: any bytes, in any pieces, of any length."""

from __future__ import annotations

import codecs

#: Characters of one line that are shown. A program that prints a document on one line must neither
#: fill the memory nor the terminal.
LONGEST = 16_384


class Lines:
    """Cuts a stream of bytes into lines. What is no UTF-8 becomes replacement characters."""

    def __init__(self, *, longest: int = LONGEST) -> None:
        self._longest = longest
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._begun = ""
        self._left_out = 0

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes."""
        *complete, begun = (self._begun + self._decoder.decode(data)).split("\n")
        lines = []
        for line in complete:
            lines.append(self._whole(line))
            self._left_out = 0
        self._left_out += max(0, len(begun) - self._longest)
        self._begun = begun[: self._longest]
        return lines

    def rest(self) -> list[str]:
        """The last line, if the stream ended without ending it."""
        lines = self.feed(self._decoder.decode(b"", final=True).encode())
        if self._begun:
            lines.append(self._whole(self._begun))
            self._begun = ""
        return lines

    def _whole(self, line: str) -> str:
        left_out = self._left_out + max(0, len(line) - self._longest)
        shown = line[: self._longest].rstrip("\r")
        return f"{shown} … [{left_out:,} more characters]" if left_out else shown
