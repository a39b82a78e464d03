"""Keeping what templates were filled in to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from runs_app.domain.executions import Execution
from runs_app.domain.rendered import bounded
from skytrail.database.statement import Nothing, Statement

_KEEP = Statement(
    "rendered_keep",
    """
INSERT INTO skytrail_rendered_fields (task_run_id, epoch, fields)
SELECT t.id, %(epoch)s, %(fields)s::jsonb FROM skytrail_task_run t WHERE t.id = %(try)s::uuid
ON CONFLICT (task_run_id, epoch) DO NOTHING
""",
    Nothing,
)


def keep(execution: Execution, fields: Mapping[str, Any]) -> None:
    """Keeps them, secrets masked already, for this execution. May be said twice."""
    _KEEP.count(
        epoch=execution.epoch,
        fields=json.dumps(bounded(fields)),
        **{"try": execution.task_run_id},
    )
