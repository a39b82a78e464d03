"""When a fault strikes: by chance, with a seed, so that a bad run can be had again in its likeness.

What SKYTRAIL_FAULTS says, as JSON, holds for the processes that it names and all that they fork:
`{"seed": 1, "roles": ["worker", "web"], "before": 0.05, "after": 0.05, "delay": 0.02}`.
"""

from __future__ import annotations

import json
import logging
import os
import random
import time
from dataclasses import dataclass, field
from enum import StrEnum

_logger = logging.getLogger(__name__)

#: How long what is delayed takes longer, in seconds.
DELAY = 1.0


class Fault(StrEnum):
    """What happens to something that is sent to a server."""

    #: It does not get there.
    BEFORE = "before"
    #: It is done, but nobody hears so.
    AFTER = "after"
    #: It takes longer.
    DELAY = "delay"


@dataclass
class Dice:
    """Says what happens next."""

    seed: int
    chances: dict[Fault, float]
    _pid: int = 0
    _random: random.Random = field(default_factory=random.Random)

    @classmethod
    def from_environment(cls) -> Dice:
        given = json.loads(os.environ.get("SKYTRAIL_FAULTS") or "{}")
        is_meant = os.environ.get("SKYTRAIL_ROLE", "web") in given.get("roles", [])
        chances = {fault: float(given.get(fault, 0.0)) for fault in Fault if is_meant}
        return cls(int(given.get("seed", 0)), chances)

    def throw(self, what: str) -> Fault | None:
        """The fault that strikes `what`, mostly none; a delay has passed when it is told."""
        if self._pid != os.getpid():
            # A process that was forked would else have the luck of its parent.
            self._pid = os.getpid()
            self._random = random.Random(f"{self.seed}, {self._pid}")
        left = self._random.random()
        for fault, chance in self.chances.items():
            left -= chance
            if left < 0:
                _logger.warning("fault: %s %s", fault, what)
                if fault is Fault.DELAY:
                    time.sleep(DELAY)
                return fault
        return None


dice = Dice.from_environment()
