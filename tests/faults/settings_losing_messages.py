"""Skytrail over a broker that loses each message once."""

from __future__ import annotations

from skytrail.settings import *  # noqa: F403
from skytrail.settings import SKYTRAIL_REDIS_URL
from tests.faults import broker

broker.lose_each_once(SKYTRAIL_REDIS_URL)
