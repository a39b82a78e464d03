"""The periodic jobs' own rows: when each last ran, and what it remembers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from skytrail.database.statement import Nothing, Statement


@dataclass(frozen=True)
class Turn:
    """A job's turn; `memory` is what it left at its last one."""

    memory: dict[str, Any]


# Doubled beats ask for the same turn twice: whoever comes within half the interval is turned away.
_TAKE = Statement(
    "take_turn",
    """
INSERT INTO skytrail_tick AS t (name, ran_at, memory)
VALUES (%(name)s, clock_timestamp(), '{}')
ON CONFLICT (name) DO UPDATE SET ran_at = clock_timestamp()
  WHERE t.ran_at <= clock_timestamp() - %(every)s::float8 * interval '0.5 second'
RETURNING memory::json AS memory
""",
    Turn,
)

_REMEMBER = Statement(
    "remember",
    "UPDATE skytrail_tick SET memory = %(memory)s::jsonb WHERE name = %(name)s",
    Nothing,
)


@dataclass(frozen=True)
class _Overdue:
    name: str


_OVERDUE = Statement(
    "overdue_ticks",
    """
SELECT w.name FROM unnest(%(names)s::text[], %(after)s::float8[]) AS w (name, after)
LEFT JOIN skytrail_tick t ON t.name = w.name
WHERE t.ran_at IS NULL OR t.ran_at < clock_timestamp() - w.after * interval '1 second'
""",
    _Overdue,
)


def take_turn(name: str, *, every: float) -> Turn | None:
    """The turn of the job `name`, which runs `every` so many seconds; None if it just had one."""
    return _TAKE.one(name=name, every=every)


def remember(name: str, memory: dict[str, Any]) -> None:
    """Keeps `memory` for the job's next turn."""
    _REMEMBER.count(name=name, memory=json.dumps(memory))


def overdue(after: dict[str, float]) -> list[str]:
    """Which of the jobs have not run for the seconds given: their beat seems to be away."""
    return [row.name for row in _OVERDUE.all(names=list(after), after=list(after.values()))]
