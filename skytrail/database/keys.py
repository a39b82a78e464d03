"""Keys made outside the database, where a caller has to know one before the row is there."""

from __future__ import annotations

import secrets
import time
from datetime import datetime
from uuid import UUID

_RANDOM_BITS = 74


def new_key() -> UUID:
    """A UUIDv7 (RFC 9562): 48 bits of milliseconds since 1970, then random ones.

    The time is this process's own and serves nothing but keeping neighbours together in an index.
    """
    milliseconds = time.time_ns() // 1_000_000 & (1 << 48) - 1
    random = secrets.randbits(_RANDOM_BITS)
    after_version, after_variant = random >> 62, random & (1 << 62) - 1
    return UUID(int=milliseconds << 80 | 7 << 76 | after_version << 64 | 0b10 << 62 | after_variant)


def least_key(at: datetime) -> UUID:
    """The least key that can have been made at that time or later: to look for rows by age."""
    milliseconds = int(at.timestamp() * 1000) & (1 << 48) - 1
    return UUID(int=milliseconds << 80)
