"""Holds a data directory until it is killed."""

from __future__ import annotations

import signal
import sys

from skytrail.embedded.home import Home

with Home(sys.argv[1]).locked():
    print("held", flush=True)  # noqa: T201
    signal.pause()
