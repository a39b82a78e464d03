"""Marking runs whose canvases can no longer be relied on."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from skytrail.database.statement import Nothing, Statement

_DEGRADE = Statement(
    "degrade",
    """
WITH held AS MATERIALIZED (
  SELECT id FROM skytrail_dag_run WHERE id = ANY (%(runs)s::uuid[]) AND NOT degraded
  ORDER BY id
  FOR NO KEY UPDATE
)
UPDATE skytrail_dag_run r SET degraded = true FROM held WHERE r.id = held.id
""",
    Nothing,
)


def degrade(runs: Iterable[UUID]) -> None:
    """From now on each end of a task of these runs calls the dispatcher by itself."""
    if unique := list(set(runs)):
        _DEGRADE.count(runs=unique)
