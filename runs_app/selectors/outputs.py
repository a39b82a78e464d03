"""What tasks left for later ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from skytrail.database.statement import Statement


@dataclass(frozen=True)
class _Named:
    task_id: str
    value: Any


# Only of the execution that counts: what an earlier one left before a clear is history.
_OUTPUTS = Statement(
    "outputs",
    """
SELECT t.task_id, o.value::json AS value
FROM skytrail_task_run t
JOIN skytrail_output o ON o.task_run_id = t.id AND o.epoch = t.epoch
WHERE t.run_id = %(run)s::uuid AND t.task_id = ANY (%(task_ids)s::text[])
  AND o.name = 'return_value'
""",
    _Named,
)


def outputs_of(run_pk: UUID, task_ids: Iterable[str]) -> dict[str, Any]:
    """The outputs of these tasks of a run; a task that left none is missing."""
    return {row.task_id: row.value for row in _OUTPUTS.all(run=run_pk, task_ids=list(task_ids))}
