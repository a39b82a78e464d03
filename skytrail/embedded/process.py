"""What the supervisor is asked to keep alive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from skytrail.embedded.command import Command


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """How long to wait before a process that has ended is started again, in seconds.

    Twice as long each time, up to `longest`; from the beginning after a life of `calm` seconds.
    """

    first: float = 0.5
    longest: float = 30.0
    calm: float = 30.0

    def next(self, delay: float) -> float:
        return min(delay * 2, self.longest)


@dataclass(frozen=True, kw_only=True)
class Process:
    """One program with a name, to be kept alive.

    `before` runs (in a thread) before every start; `ready` is asked again and again after it, until
    it is true, at the first start of infrastructure for `ready_within` seconds at most. `grace` is
    the time, in seconds, to end by itself when asked to. Lines of output with one of the `unsaid`
    texts in them are not shown.
    """

    name: str
    command: Command
    grace: float = 10.0
    before: Callable[[], None] | None = None
    ready: Callable[[], Awaitable[bool]] | None = None
    ready_within: float = 60.0
    backoff: Backoff = Backoff()
    unsaid: tuple[str, ...] = ()
