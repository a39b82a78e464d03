"""How an execution ended, as one value; and what a task's code may raise to say so."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import PurePath
from typing import Any
from uuid import UUID

from runs_app.domain.artifacts import Handle
from runs_app.domain.states import TaskState
from skytrail.documents import unstorable

#: Return values and named outputs up to this size, as JSON, are rows; larger ones are artifacts.
MAX_ROW_BYTES = 65_536

#: Beyond this a value is no output, but has to be an artifact of its own.
MAX_OUTPUT_BYTES = 16 * 1024 * 1024

#: An error message is cut to this length; the log has the rest.
MAX_ERROR_CHARACTERS = 4_000


class Skip(Exception):  # not an error: Airflow's AirflowSkipException
    """Raised by a task's code: nothing to do this time; the task counts as skipped."""


class Fail(Exception):  # named for what it does: Airflow's AirflowFailException
    """Raised by a task's code: failed for good; retries would not help."""


@dataclass(frozen=True, slots=True)
class PokeReturnValue:
    """Returned by a sensor's code that has more to say than yes or no.

    `xcom_value` is the task's output once it is done.
    """

    is_done: bool
    xcom_value: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an executor reports. `state` is one of success, failed, skipped and cancelled; or, of a
    task that waits for something, up_for_reschedule and deferred.
    """

    state: TaskState
    #: What later tasks may use; None for nothing. JSON values only.
    output: Any = None
    #: Whether `output` is a dict of named outputs, each of which is kept by itself.
    is_named: bool = False
    #: Ids of the tasks that a branch goes on with.
    chosen: tuple[str, ...] | None = None
    #: What went wrong, or why it was skipped, in a sentence for people.
    message: str = ""
    #: A word for programs: `exit_code`, `exception`, `timeout`, `not_found`, …
    reason: str = ""
    exit_code: int | None = None
    #: Whether another try could help.
    may_retry: bool = True
    #: Of a task that waits: in how many seconds it is taken up again; None: when somebody says so.
    wake_after: float | None = None
    #: Of a mapped task's expansion: the values of each instance, in order.
    instances: tuple[dict[str, Any], ...] | None = None

    @classmethod
    def poke_again(cls, seconds: float, message: str = "") -> Outcome:
        """Not yet: look again in so many seconds. No worker is held meanwhile."""
        return cls(
            state=TaskState.UP_FOR_RESCHEDULE,
            wake_after=seconds,
            message=message,
            reason="poked",
        )

    @classmethod
    def deferred(cls, seconds: float | None, message: str = "") -> Outcome:
        """To be taken up again once, in so many seconds, or when somebody says so."""
        return cls(state=TaskState.DEFERRED, wake_after=seconds, message=message, reason="deferred")

    @classmethod
    def expanded(cls, instances: Sequence[dict[str, Any]]) -> Outcome:
        """Of a mapped task: these are its instances. Without any it is skipped, and leaves an empty
        list.
        """
        if not instances:
            return replace(cls.skipped("there is nothing to expand over"), instances=())
        return cls(state=TaskState.SUCCESS, instances=tuple(instances))

    @classmethod
    def success(cls, output: Any = None, *, chosen: tuple[str, ...] | None = None) -> Outcome:
        return cls(state=TaskState.SUCCESS, output=output, chosen=chosen)

    @classmethod
    def skipped(cls, message: str, *, exit_code: int | None = None) -> Outcome:
        return cls(state=TaskState.SKIPPED, message=message, reason="skipped", exit_code=exit_code)

    @classmethod
    def failed(
        cls,
        message: str,
        *,
        reason: str,
        exit_code: int | None = None,
        may_retry: bool = True,
    ) -> Outcome:
        return cls(
            state=TaskState.FAILED,
            message=message,
            reason=reason,
            exit_code=exit_code,
            may_retry=may_retry,
        )

    @classmethod
    def too_long(cls, limit: float) -> Outcome:
        """Of a try that reached its `timeout_seconds`."""
        message = f"it ran longer than its time limit of {limit:g} s"
        return cls.failed(message, reason="timeout")


class Unkeepable(ValueError):
    """A value that cannot be kept as a task's output; the text says why and what to do."""


def keepable(value: Any) -> Any:
    """`value` as the JSON that is kept: dates as ISO 8601, Decimal and UUID as text, an artifact as
    its handle.

    Raises `Unkeepable` for what is not JSON, or larger than `MAX_OUTPUT_BYTES`.
    """
    if value is None:
        return None
    try:
        text = json.dumps(value, default=_plain, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise Unkeepable(
            f"what the task returns cannot be kept as JSON ({error}); return plain values, or None"
        ) from error
    if len(text) > MAX_OUTPUT_BYTES:
        raise Unkeepable(
            f"what the task returns has {len(text):,} bytes as JSON; at most {MAX_OUTPUT_BYTES:,} "
            "are kept. Write it to a file and return skytrail.sdk.artifact.save(file)"
        )
    kept = json.loads(text)
    flaws = unstorable(kept) if _may_be_unstorable(text) else []
    if any(flaw.code == "too_deep" for flaw in flaws):
        raise Unkeepable("what the task returns is nested too deeply; return it flatter")
    if flaws:
        raise Unkeepable("what the task returns has text with NUL or broken Unicode characters")
    return kept


def _may_be_unstorable(text: str) -> bool:
    """Whether it has to be looked at value by value, which takes long where there are many."""
    return len(text) <= MAX_ROW_BYTES or "\\u0000" in text or "\\ud" in text


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal | UUID | PurePath):
        return str(value)
    if isinstance(value, Handle):
        return value.as_json()
    raise TypeError(f"a {type(value).__name__} is not JSON")
