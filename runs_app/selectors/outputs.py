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
    map_index: int
    map_length: int | None
    value: Any


# Only of the execution that counts: what an earlier one left before a clear is history.
_OUTPUTS = Statement(
    "outputs",
    """
SELECT t.task_id, t.map_index, t.map_length, o.value::json AS value
FROM skytrail_task_run t
LEFT JOIN skytrail_output o
  ON o.task_run_id = t.id AND o.epoch = t.epoch AND o.name = 'return_value'
WHERE t.run_id = %(run)s::uuid AND t.task_id = ANY (%(task_ids)s::text[])
  AND (o.id IS NOT NULL OR t.map_length IS NOT NULL)
ORDER BY t.task_id, t.map_index
""",
    _Named,
)


def outputs_of(run_pk: UUID, task_ids: Iterable[str]) -> dict[str, Any]:
    """The outputs of these tasks of a run; a task that left none is missing.

    Of a mapped task the list of its instances' outputs, in their order; None where one left none.
    """
    found: dict[str, Any] = {}
    for row in _OUTPUTS.all(run=run_pk, task_ids=list(task_ids)):
        if row.map_index < 0:
            # Of a mapped task its expansion's row comes first.
            found[row.task_id] = row.value if row.map_length is None else [None] * row.map_length
        elif row.map_index < len(instances := found.get(row.task_id, [])):
            instances[row.map_index] = row.value
    return found
