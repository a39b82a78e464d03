"""What tests of workers have in common: an executor called as a worker calls it."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.workers.calls import Bench
from workers.guards import interruption


@pytest.fixture
def bench(settings: Settings) -> Bench:
    """Executes single commands in this process, without a database."""
    settings.SKYTRAIL_HTTP_ALLOWED = ["127.0.0.1"]
    settings.SKYTRAIL_STOP_GRACE_SECONDS = 0.5
    return Bench()


@pytest.fixture(autouse=True)
def _interruptible() -> Iterator[None]:
    """This process can be interrupted as a pool process can."""
    before = signal.getsignal(signal.SIGUSR2)
    interruption.install()
    yield
    signal.signal(signal.SIGUSR2, before)
