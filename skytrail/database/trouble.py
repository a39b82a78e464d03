"""What is wrong when the database raises, as far as it is nobody's mistake and passes by itself."""

from __future__ import annotations

import logging
from enum import StrEnum

from django.db import Error as DatabaseError
from django.db import InterfaceError, InternalError, OperationalError

from skytrail.errors import Unavailable


class Trouble(StrEnum):
    """Why a statement failed that may well succeed if it is tried again."""

    #: The server is gone, restarts, cannot be reached or does not answer.
    AWAY = "away"
    #: It answers questions and takes no changes: a standby, or an operator's measure.
    READ_ONLY = "read-only"
    #: Somebody else wanted the same rows at the same time; this one gave way, and left no trace.
    COLLISION = "collision"
    #: The server ended it: it took too long, or rows were locked for too long.
    BUSY = "busy"


class DatabaseUnavailable(Unavailable):
    """The database does not answer; try again in a moment."""


class DatabaseReadOnly(Unavailable):
    """The database takes no changes at the moment, so nothing was changed; try again later."""


class DatabaseCollision(Unavailable):
    """Somebody else was changing the same things at the same moment, so nothing was changed here;
    try again.
    """


class DatabaseBusy(Unavailable):
    """The database was too busy to do that in time, so nothing was changed; try again soon."""


_ERRORS: dict[Trouble, type[Unavailable]] = {
    Trouble.AWAY: DatabaseUnavailable,
    Trouble.READ_ONLY: DatabaseReadOnly,
    Trouble.COLLISION: DatabaseCollision,
    Trouble.BUSY: DatabaseBusy,
}

_BY_STATE = {
    "25006": Trouble.READ_ONLY,
    "40001": Trouble.COLLISION,  # serialization failure
    "40P01": Trouble.COLLISION,  # deadlock
    "55P03": Trouble.BUSY,  # lock not available
    "57014": Trouble.BUSY,  # cancelled, by a time limit mostly
}
#: What PostgreSQL ends a connection with, and Django does not count as operational.
_ENDED = frozenset({"25P03", "25P04"})


def trouble_of(error: BaseException) -> Trouble | None:
    """The trouble that `error` speaks of; None where trying again would not help."""
    if not isinstance(error, DatabaseError):
        return None
    state = getattr(error.__cause__, "sqlstate", None)
    if state in _BY_STATE:
        return _BY_STATE[state]
    if isinstance(error, InternalError):
        return Trouble.AWAY if state in _ENDED else None
    return Trouble.AWAY if isinstance(error, OperationalError | InterfaceError) else None


def as_one_of_ours(trouble: Trouble) -> Unavailable:
    """The error that tells people of `trouble`."""
    return _ERRORS[trouble]()


def in_a_line(error: BaseException) -> str:
    """What the database said, without the lines of advice below it."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


class InALine(logging.Filter):
    """Tells troubles of the database without a traceback: that is long, and helps nobody."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if error is not None and (trouble := trouble_of(error)) is not None:
            said = record.getMessage().splitlines()[:1]
            record.msg = ": ".join(
                [*said, f"the database is in trouble ({trouble}): {in_a_line(error)}"]
            )
            record.args = None
            record.exc_info = record.exc_text = None
        return True
