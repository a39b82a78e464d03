"""The one clock that decisions are made by: the database's."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

from skytrail.database.statement import Statement


@dataclasses.dataclass(frozen=True)
class _Time:
    now: datetime


_NOW = Statement("clock", "SELECT clock_timestamp() AS now", _Time)


def database_now() -> datetime:
    """The time at the database, in UTC. Workers' own clocks may be wrong; this one all share."""
    time = _NOW.one()
    assert time is not None
    return time.now.astimezone(UTC)
