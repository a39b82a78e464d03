"""Keeping what an execution writes, as it comes."""

from __future__ import annotations

from uuid import UUID

from skytrail.database.statement import Nothing, Statement

# By epoch, so that the log of an execution that was given up never mixes with its successor's.
_APPEND = Statement(
    "append_log",
    """
INSERT INTO skytrail_log_chunk (task_run_id, epoch, sequence, text)
VALUES (%(task_run)s::uuid, %(epoch)s, %(sequence)s, %(text)s)
ON CONFLICT DO NOTHING
""",
    Nothing,
)


def append(*, task_run_id: UUID, epoch: int, sequence: int, text: str) -> None:
    """Keeps piece number `sequence`; writing it twice is harmless."""
    _APPEND.count(task_run=task_run_id, epoch=epoch, sequence=sequence, text=text)
