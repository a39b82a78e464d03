"""What one execution may use, and what is said when it uses more."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Outcome

MEBIBYTE = 1_048_576


@dataclass(frozen=True, slots=True)
class Limits:
    """In bytes; None for no limit."""

    memory: int | None = None
    #: Of what a process of its own writes, kept or not.
    output: int | None = None


def limits_of(execution: Execution) -> Limits:
    """Its own where it has some, else those of the worker."""
    megabytes = execution.memory_limit_mb or settings.SKYTRAIL_TASK_MEMORY_MB
    return Limits(
        memory=None if megabytes is None else megabytes * MEBIBYTE,
        output=settings.SKYTRAIL_OUTPUT_LIMIT_BYTES,
    )


class OutOfMemory(Exception):
    """It used `used` bytes, and would have more than its limit."""

    def __init__(self, used: int, limit: int) -> None:
        self.used, self.limit = used, limit
        super().__init__(used, limit)

    def outcome(self) -> Outcome:
        used, limit = (f"{size / MEBIBYTE:,.0f} MiB" for size in (self.used, self.limit))
        asked = "" if self.used > self.limit else " and asked for more"
        return Outcome.failed(
            f"it used {used} of memory{asked}, and may use {limit}; have it work in smaller parts, "
            "or raise its memory_limit_mb (without one SKYTRAIL_TASK_MEMORY_MB holds)",
            reason="out_of_memory",
        )


class TooMuchOutput(Exception):
    """It wrote more than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(limit)

    def outcome(self) -> Outcome:
        return Outcome.failed(
            f"it wrote more than {self.limit:,} bytes to its log; have it write less, or to a "
            "file, or raise SKYTRAIL_OUTPUT_LIMIT_BYTES",
            reason="output_limit",
        )
