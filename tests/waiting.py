"""Wait for a fact, never for a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_INTERVAL = 0.02


def wait_until(fact: Callable[[], T], timeout: float = 10.0, *, what: str = "") -> T:
    """Ask for `fact` until it is true, and return what it gave.

    `what` names it in the failure; without, its function's name does. An AssertionError raised by
    the fact itself counts as "not yet", and the last one explains the failure.
    """
    deadline = time.monotonic() + timeout
    while True:
        reason: AssertionError | None = None
        try:
            if value := fact():
                return value
        except AssertionError as error:
            reason = error
        if time.monotonic() >= deadline:
            name = what or getattr(fact, "__name__", repr(fact)).replace("_", " ")
            message = f"not within {timeout:g} s: {name}"
            raise AssertionError(f"{message}: {reason}" if reason else message) from reason
        time.sleep(_INTERVAL)
