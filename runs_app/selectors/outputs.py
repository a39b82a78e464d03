"""What tasks left for later ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from runs_app.domain.named_outputs import RETURN_VALUE
from runs_app.models import Output, TaskRun
from skytrail.database.statement import Statement


@dataclass(frozen=True)
class _Named:
    task_id: str
    map_index: int
    map_length: int | None
    name: str | None
    value: Any


# Only of the execution that counts: what an earlier one left before a clear is history.
_OUTPUTS = Statement(
    "outputs",
    """
SELECT t.task_id, t.map_index, t.map_length, o.name, o.value::json AS value
FROM skytrail_task_run t
LEFT JOIN skytrail_output o
  ON o.task_run_id = t.id AND o.epoch = t.epoch
WHERE t.run_id = %(run)s::uuid AND t.task_id = ANY (%(task_ids)s::text[])
  AND (o.id IS NOT NULL OR t.map_length IS NOT NULL)
ORDER BY t.task_id, t.map_index, o.name
""",
    _Named,
)


def outputs_of(run_pk: UUID, task_ids: Iterable[str]) -> dict[str, Any]:
    """The outputs of these tasks of a run; a task that left none is missing.

    Named outputs are a dict of them. Of a mapped task the list of its instances' outputs, in their
    order; None where one left none.
    """
    found: dict[str, Any] = {}
    for row in _OUTPUTS.all(run=run_pk, task_ids=list(task_ids)):
        if row.map_index < 0:
            # Of a mapped task its expansion's row comes first.
            if row.map_length is None:
                found[row.task_id] = _with(found.get(row.task_id), row)
            else:
                found[row.task_id] = [None] * row.map_length
        elif row.map_index < len(instances := found.get(row.task_id, [])):
            instances[row.map_index] = _with(instances[row.map_index], row)
    return found


def rows_of(task_run: TaskRun, *, name: str | None = None) -> QuerySet[Output]:
    """The outputs of the execution that counts of a task run; with `name` only that one."""
    rows = Output.objects.filter(task_run=task_run, epoch=task_run.epoch)
    return rows.filter(name=name) if name else rows


def _with(outputs: Any, row: _Named) -> Any:
    """What a task run left, with one row more of it."""
    if row.name == RETURN_VALUE:
        return row.value
    return {**(outputs or {}), row.name: row.value}
