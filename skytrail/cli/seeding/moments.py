"""Times as whole microseconds since 1970: a million of them are added up and written out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(moment: datetime) -> int:
    """An aware `moment` in microseconds."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(at: int) -> datetime:
    """The other way, in UTC."""
    return _EPOCH + timedelta(microseconds=at)


def stamp(at: int) -> str:
    """As PostgreSQL reads it."""
    second, rest = divmod(at, SECOND)
    return f"{_second(second)}.{rest:06d}+00"


@lru_cache(maxsize=4096)
def _second(second: int) -> str:
    return f"{_EPOCH + timedelta(seconds=second):%Y-%m-%d %H:%M:%S}"
