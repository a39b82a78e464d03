"""What is wrong when the database raises, as far as it is nobody's mistake and passes by itself."""

from __future__ import annotations

from enum import StrEnum

from django.db import Error as DatabaseError
from django.db import InterfaceError, InternalError, OperationalError


class Trouble(StrEnum):
    """Why a statement failed that may well succeed if it is tried again."""

    #: The server is gone, restarts, cannot be reached or does not answer.
    AWAY = "database_unavailable"
    #: It answers questions and takes no changes: a standby, or an operator's measure.
    READ_ONLY = "database_read_only"
    #: Somebody else wanted the same rows at the same time, or held them for too long.
    CONTENTION = "database_busy"


_READ_ONLY = "25006"
#: Serialization failure, deadlock, lock not available, cancelled (by a time limit, mostly).
_CONTENTION = frozenset({"40001", "40P01", "55P03", "57014"})
#: What PostgreSQL ends a connection with, and Django does not count as operational.
_ENDED = frozenset({"25P03", "25P04"})


def trouble_of(error: BaseException) -> Trouble | None:
    """The trouble that `error` speaks of; None where trying again would not help."""
    if not isinstance(error, DatabaseError):
        return None
    state = getattr(error.__cause__, "sqlstate", None)
    if state == _READ_ONLY:
        return Trouble.READ_ONLY
    if state in _CONTENTION:
        return Trouble.CONTENTION
    if isinstance(error, InternalError):
        return Trouble.AWAY if state in _ENDED else None
    return Trouble.AWAY if isinstance(error, OperationalError | InterfaceError) else None


def in_a_line(error: BaseException) -> str:
    """What the database said, without the lines of advice below it."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
