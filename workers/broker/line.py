"""The line to the broker: all that this process sends by itself goes through here.

A broker that is away, full or read-only costs whoever sends nothing but a wait, and that wait only
now and then: after a failure nothing is tried for a moment. A request that sends ten things waits
once, and what nobody has sent is marked so that recovery sends it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from kombu.exceptions import ChannelError, OperationalError
from redis.exceptions import RedisError

_logger = logging.getLogger(__name__)

T = TypeVar("T")

#: What a broker that is away, full or read-only raises, as far as Celery lets it through.
BROKER_ERRORS = (OperationalError, ChannelError, RedisError, OSError)

#: How long nothing is tried after a failure, in seconds. Shorter than what recovery waits before it
#: sends the unsent (`UNSENT_AFTER`), so that the first failure delays nothing further.
PAUSE = 3.0


class BrokerAway(Exception):
    """What was to be sent was not, or nobody knows whether it was."""


class Line:
    """One for each process. Threads may share it."""

    def __init__(self) -> None:
        self._rests_until = 0.0

    def over(self, send: Callable[[], T]) -> T:
        """Whatever `send` gives. Raises BrokerAway, without a try for a while after a failure."""
        if time.monotonic() < self._rests_until:
            raise BrokerAway
        try:
            return send()
        except BROKER_ERRORS as error:
            self._rests_until = time.monotonic() + PAUSE
            _logger.warning("Redis does not take messages, recovery will send them: %s", error)
            raise BrokerAway from error


line = Line()
