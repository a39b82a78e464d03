"""Doing things at the same moment: real threads, each with a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

T = TypeVar("T")


def together(steps: Sequence[Callable[[], T]]) -> list[T | Exception]:
    """Starts every step at one barrier; what each returned or raised, in their order."""
    barrier = threading.Barrier(len(steps))

    def at_once(step: Callable[[], T]) -> T | Exception:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=10)
            return step()
        except Exception as error:  # noqa: BLE001  # it is the result
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(steps)) as pool:
        return list(pool.map(at_once, steps))


def by_many(count: int, step: Callable[[], T]) -> list[T | Exception]:
    """The same step, `count` times at once."""
    return together([step] * count)
