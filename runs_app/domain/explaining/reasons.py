"""What an explanation is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

#: Causes that are told of one thing; the rest is counted.
WIDE = 5

#: How far a chain of causes is followed.
DEEP = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a reason is about, for links: a DAG, a run or a task of it, a pool, a queue …"""

    kind: str
    name: str
    dag_id: str = ""
    run_id: str = ""
    map_index: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason. Times stand beside the text, for each door to write in its way.

    `since`: from when on it holds; `until`: when it ends by itself, or what it waits for.
    `because`: what it has come from, which may have causes of its own.
    """

    code: str
    text: str
    since: datetime | None = None
    until: datetime | None = None
    about: About | None = None
    because: tuple[Reason, ...] = ()

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Reason]]:
        """It and all its causes, each with its depth."""
        yield depth, self
        for cause in self.because:
            yield from cause.walk(depth + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """How something stands at a time, in a sentence, and why."""

    headline: str
    at: datetime
    since: datetime | None = None
    reasons: tuple[Reason, ...] = ()

    def walk(self) -> Iterator[tuple[int, Reason]]:
        """All reasons, each with its depth from 0 on."""
        for reason in self.reasons:
            yield from reason.walk()


def few(names: Sequence[str], *, most: int = 3) -> str:
    """Names in a sentence: `a, b and 4 more`."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def count(number: int, word: str) -> str:
    """`1 task`, `3 tasks`."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def lasting(span: timedelta) -> str:
    """How long, in its two largest units: "0.4 s", "12 s", "3 min 20 s", "2 d 4 h"."""
    seconds = max(0.0, span.total_seconds())
    if seconds < 10:  # where a tenth of a second says something
        return f"{seconds:.1f} s"
    left = round(seconds)
    parts: list[tuple[int, str]] = []
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if left >= size or parts:
            parts.append((left // size, unit))
            left %= size
    return " ".join(f"{number} {unit}" for number, unit in parts[:2] if number)
