"""What `skytrail up` writes: every line with its time and who said it, and never a secret."""

from __future__ import annotations

import contextlib
import os
import sys
from datetime import datetime
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Cyan, yellow, green, magenta, blue and their bright sisters; red is for what went wrong.
_HUES = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
_RED = 31
_BOLD = 1

_OWN_NAME = "skytrail"


class Console:
    """Writes lines of several speakers to one stream.

    Colour is for a terminal; NO_COLOR and FORCE_COLOR (any text in them) overrule that. `hide` are
    the secrets: where a line has one, it is masked.
    """

    def __init__(
        self,
        *,
        environ: Mapping[str, str],
        hide: Iterable[str] = (),
        stream: TextIO | None = None,
    ) -> None:
        self._stream: TextIO | None = stream or sys.stdout
        self._coloured = _wants_colour(self._stream, environ)
        self._hide = sorted({secret for secret in hide if secret}, key=len, reverse=True)
        self._hues: dict[str, int] = {}
        self._width = len(_OWN_NAME)

    def introduce(self, names: Iterable[str]) -> None:
        """Give speakers their colours, and the names' column its width."""
        for name in names:
            self._hues.setdefault(name, _HUES[len(self._hues) % len(_HUES)])
            self._width = max(self._width, len(name))

    def line(self, name: str, text: str, *, failure: bool = False) -> None:
        """One line of `name`'s."""
        self.introduce([name])
        prefix = f"{datetime.now().astimezone():%H:%M:%S} {name:<{self._width}} | "
        hue = _RED if failure else self._hues[name]
        self._write(f"{self._in_colour(prefix, hue)}{self._masked(text)}\n")

    def say(self, text: str, *, failure: bool = False) -> None:
        """One line of Skytrail's own."""
        if _OWN_NAME not in self._hues:
            self._hues[_OWN_NAME] = _BOLD
        self.line(_OWN_NAME, text, failure=failure)

    def block(self, text: str) -> None:
        """Several lines that stand by themselves, as they are: the one place to show a password."""
        self._write(f"\n{text}\n\n")

    def _masked(self, text: str) -> str:
        for secret in self._hide:
            text = text.replace(secret, "***")
        return text

    def _in_colour(self, text: str, hue: int) -> str:
        return f"\x1b[{hue}m{text}\x1b[0m" if self._coloured else text

    def _write(self, text: str) -> None:
        if self._stream is None:
            return
        encoding = self._stream.encoding or "utf-8"
        try:
            self._stream.write(text.encode(encoding, "replace").decode(encoding))
            self._stream.flush()
        except (OSError, ValueError):
            # The terminal is gone, or whoever read the pipe. That is no reason to die: there are
            # children to be stopped in order.
            self._give_up(self._stream)

    def _give_up(self, stream: TextIO) -> None:
        """Say nothing any more; what the stream still holds must not break the exit either."""
        self._stream = None
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def _wants_colour(stream: TextIO | None, environ: Mapping[str, str]) -> bool:
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return stream is not None and stream.isatty()
