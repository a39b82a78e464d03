from __future__ import annotations

from typing import NamedTuple

from skytrail.security.secrets.testing import Status


class Verdict(NamedTuple):
    """What came of an attempt; secrets may still be in the message."""

    status: Status
    message: str
