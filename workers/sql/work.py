"""What is to be done on a database, and what came of it: values."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from runs_app.domain.outcomes import keepable


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """Statements that are executed in turn, in one transaction unless `autocommit`.

    `statement_timeout` is in seconds. Of the last one at most `max_rows` rows are taken.
    """

    statements: Sequence[str]
    bound: Mapping[str, Any] | Sequence[Any]
    statement_timeout: float | None
    max_rows: int
    autocommit: bool = False
    read_only: bool = False


class CannotDo(Exception):
    """The work cannot be done, however often it is tried; the text says why and what to do."""


class DatabaseFailed(Exception):
    """The database has refused something, or cannot be reached; the text is what it said."""

    def __init__(self, text: str, *, may_retry: bool) -> None:
        self.may_retry = may_retry
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Answer:
    """Of the last statement: its rows as JSON, or None where it gives none; and how many rows it
    gave or touched, where the driver says so.
    """

    rows: list[dict[str, Any]] | None
    touched: int | None


#: Told before each statement, from the thread that executes.
OnStatement = Callable[[int], None]


class Database(Protocol):
    """A database that can be told, from another thread, to stop what it is doing."""

    def do(self, work: Work, *, on_statement: OnStatement) -> Answer:
        """Connects, does the work, and commits it only when the rows can be kept.

        Raises `CannotDo`, `DatabaseFailed`, and `Unkeepable` for what is no task's output.
        """

    def stop(self) -> None:
        """Ends what is being executed, for good. Called from another thread; raises nothing."""


def rows_of(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, most: int) -> list[Any]:
    """Rows as a task's output: an object for each. Raises `CannotDo`, `Unkeepable`."""
    if len(rows) > most:
        raise CannotDo(
            f"it gives more than max_rows, {most:,}; add a LIMIT, count in the database, or raise "
            "max_rows"
        )
    if len(set(columns)) < len(columns):
        twice = sorted({name for name in columns if list(columns).count(name) > 1})
        raise CannotDo(f"several columns are called {', '.join(twice)}; name them with AS")
    found = [dict(zip(columns, map(_plain, row), strict=True)) for row in rows]
    kept: list[Any] = keepable(found)
    return kept


def _plain(value: Any) -> Any:
    """Bytes as base64; what JSON does not know, and outputs do not either, as the text it has."""
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(bytes(value)).decode("ascii")
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in value]
    try:
        keepable(value)
    except ValueError:
        return value if isinstance(value, float | str) else str(value)
    return value
