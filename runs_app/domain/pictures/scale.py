"""From times to places on an axis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

#: Charts are this wide; what shows them stretches them to the place that there is.
WIDTH = 1000

_STEPS = tuple(
    timedelta(seconds=seconds)
    for seconds in (
        0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800,
        21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600, 2_592_000,
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scale:
    """The times from `start` to `end`, over `WIDTH`."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        return max((self.end - self.start).total_seconds(), 1e-3)

    def at(self, moment: datetime) -> float:
        """Where a time is; times outside are at the border."""
        share = (moment - self.start).total_seconds() / self.seconds
        return round(min(max(share, 0.0), 1.0) * WIDTH, 2)

    def ticks(self, most: int = 8) -> Iterator[tuple[float, datetime]]:
        """Round times with their places, at most so many."""
        step = next((s for s in _STEPS if self.seconds / s.total_seconds() <= most), _STEPS[-1])
        since = timedelta(seconds=self.start.timestamp() % step.total_seconds())
        moment = self.start - since + (step if since else timedelta())
        while moment <= self.end:
            yield self.at(moment), moment
            moment += step
