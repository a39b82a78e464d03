"""Marking runs whose canvases can no longer be relied on."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from skytrail.database.statement import Nothing, Statement

_DEGRADE = Statement(
    "degrade",
    """
UPDATE skytrail_dag_run SET degraded = true
WHERE id = ANY (%(runs)s::uuid[]) AND NOT degraded
""",
    Nothing,
)


def degrade(runs: Iterable[UUID]) -> None:
    """From now on each end of a task of these runs calls the dispatcher by itself."""
    if unique := list(set(runs)):
        _DEGRADE.count(runs=unique)
