"""Skytrail over a database and a broker that fail now and then; see `dice.py` for how often."""

from __future__ import annotations

from skytrail.settings import *  # noqa: F403
from skytrail.settings import DATABASES
from tests.faults import broker

DATABASES["default"]["ENGINE"] = "tests.faults.postgres"
broker.fail_at_times()
