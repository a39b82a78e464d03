"""Patience with a database that is away: steps that may run twice are tried until it is back."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import Error as DatabaseError
from django.db import connection

from skytrail.database.trouble import Trouble, in_a_line, trouble_of

_logger = logging.getLogger(__name__)
T = TypeVar("T")

_SHORTEST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0


def patiently(step: Callable[[], T], *, seconds: float, what: str) -> T:
    """Does `step`, and again while the database is away, takes no changes or breaks a deadlock.

    `step` opens its own transaction, if any, and may run twice: also what seemed to fail may have
    been committed. `what` it does stands in the log, once, however often it is tried. After
    `seconds` the last error is raised.
    """
    began = time.monotonic()
    pause = _SHORTEST_PAUSE
    is_first = True
    while True:
        try:
            result = step()
        except DatabaseError as error:
            trouble = trouble_of(error)
            if trouble is None or time.monotonic() + pause > began + seconds:
                raise
            if is_first:
                is_first = False
                _logger.warning(
                    "could not %s (database: %s), trying again for %g s: %s",
                    what,
                    trouble,
                    seconds,
                    in_a_line(error),
                )
            if trouble in {Trouble.AWAY, Trouble.READ_ONLY}:
                connection.close()
            # Not all at once: everybody has been waiting for the same server.
            time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  # nothing to guess
            pause = min(pause * 2, _LONGEST_PAUSE)
        else:
            if not is_first:
                _logger.warning("could %s after %.1f s", what, time.monotonic() - began)
            return result
