"""Whether a failed try is followed by another, and when."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """A task's settings for trying again; times in seconds."""

    delay: float
    backoff: float
    max_delay: float


def delay_before(policy: RetryPolicy, *, attempt: int, key: str) -> float:
    """Seconds to wait after the failed try number `attempt` (the first is 1).

    Airflow's rule: with a factor other than 0 and 1 the delay grows exponentially, plus a jitter of
    up to the delay itself that is the same each time it is asked for (`key` names the task run and
    the try), so that tasks which failed together do not come back together.
    """
    if policy.backoff in (0, 1) or policy.delay == 0:
        return min(policy.delay, policy.max_delay)
    try:
        grown = policy.delay * float(policy.backoff) ** (attempt - 1)
    except OverflowError:
        return policy.max_delay
    if grown >= policy.max_delay:
        return policy.max_delay
    base = max(1, math.ceil(grown))
    digest = hashlib.sha1(key.encode(), usedforsecurity=False).digest()
    jitter = int.from_bytes(digest) % base
    return min(float(base + jitter), policy.max_delay)
