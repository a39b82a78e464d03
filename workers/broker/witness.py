"""Word of the database, left in Redis by all who see it, for those who do not.

Without it a worker that is cut off from the database cannot be told from one among many while the
database is away. Recovery takes nothing over unless word was there before it came: so whoever is
cut off has had the time to hear of it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

_logger = logging.getLogger(__name__)

KEY = "skytrail:database-seen"

#: Neither leaving word nor asking for it may hold anybody up for longer, in seconds; with a short
#: lease less. Twice that, where a connection turns out to be dead.
_TIMEOUT = 1.5


@dataclass(frozen=True, slots=True)
class Seen:
    """What Redis says: whether somebody has seen the database within the last third of a lease.

    `settling` is for how many seconds leases are still left alone after an absence.
    """

    by_somebody: bool
    settling: float = 0.0


def leave(settling: float) -> bool:
    """Leaves word that the database is there; True if there was word already.

    `settling` is for how many seconds from now recovery takes nothing over.
    """
    # Two renewals. When a worker looks, because it has seen nothing itself, word from before the
    # database went away is gone: see `stop_after` in `workers.guards.fence`.
    lifetime = settings.SKYTRAIL_LEASE_SECONDS * 1000 // 3
    try:
        before: Any = _client(settings.SKYTRAIL_REDIS_URL).set(
            KEY, f"{settling:.3f}", px=lifetime, get=True
        )
    except redis.RedisError as error:
        _logger.warning("could not leave word of the database in Redis: %s", error)
        return False
    return before is not None


def ask() -> Seen | None:
    """What others have left; None where Redis cannot be asked."""
    try:
        word: Any = _client(settings.SKYTRAIL_REDIS_URL).get(KEY)
    except redis.RedisError:
        return None
    return Seen(by_somebody=False) if word is None else Seen(by_somebody=True, settling=float(word))


@cache
def _client(url: str) -> redis.Redis:
    timeout = min(_TIMEOUT, settings.SKYTRAIL_LEASE_SECONDS / 12)
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 1),  # once more, over a connection that was not idle
    )
