"""How long runs took, and how long they usually take."""

from __future__ import annotations

import math
from collections.abc import Sequence


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value that `share` (from 0 to 1) of them do not exceed: the nearest rank.

    None where there are no values. Source: NIST/SEMATECH e-Handbook, 7.2.6.2, nearest rank.
    """
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1]


def heights(values: Sequence[float | None], *, height: float) -> list[float]:
    """How high bars are, the greatest `height` high. None is 0, all others are at least 1."""
    greatest = max((value for value in values if value is not None), default=0.0) or 1.0
    return [
        0.0 if value is None else round(max(value / greatest * height, 1.0), 2) for value in values
    ]
