"""Waiting for a fact, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_INTERVAL = 0.05


class Late(Exception):
    """A fact did not come true in time."""


def wait_until(fact: Callable[[], T], timeout: float, *, what: str) -> T:
    """Asks for `fact` until it is true, and returns what it gave. Raises `Late`."""
    deadline = time.monotonic() + timeout
    while not (value := fact()):
        if time.monotonic() >= deadline:
            raise Late(f"not within {timeout:g} s: {what}")
        time.sleep(_INTERVAL)
    return value
