"""For how long something is kept."""

from __future__ import annotations

from datetime import timedelta

#: A time to live is at most so long; what is to stay for ever has none.
MAX_TTL = timedelta(days=3650)


class BadLifetime(ValueError):
    """What is wrong with a time to live, and what to give."""


def lifetime(ttl: timedelta | float | None) -> timedelta | None:
    """How long to keep it; a number is in seconds. Raises `BadLifetime`."""
    if ttl is None:
        return None
    if isinstance(ttl, int | float) and not isinstance(ttl, bool):
        # Compared first: what no timedelta can hold is too long anyway.
        ttl = timedelta(seconds=ttl) if 0 < ttl <= MAX_TTL.total_seconds() else timedelta()
    if not isinstance(ttl, timedelta) or not timedelta() < ttl <= MAX_TTL:
        raise BadLifetime(f"give more than 0 seconds and at most {MAX_TTL.days:,} days")
    return ttl
