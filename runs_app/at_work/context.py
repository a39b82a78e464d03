"""`from skytrail.sdk import get_current_context`: what a task is executed for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict

from runs_app.at_work.here import here


class Context(TypedDict):
    """Names as in templates; `try_number` counts from 1, `map_index` is -1 where nothing is mapped.

    `idempotency_key` is the same for every try of this task of this run; `fence` grows with each
    execution, so that a late one can be told from its successor.
    """

    dag_id: str
    run_id: str
    run_type: str
    task_id: str
    map_index: int
    try_number: int
    max_tries: int
    params: Mapping[str, Any]
    logical_date: datetime | None
    data_interval_start: datetime | None
    data_interval_end: datetime | None
    idempotency_key: str
    fence: int


def get_current_context() -> Context:
    """What the task under way is executed for. Raises `NotAtWork` where no task is."""
    execution = here("get_current_context()").execution
    return Context(
        dag_id=execution.dag_id,
        run_id=execution.run_id,
        run_type=execution.run_type,
        task_id=execution.task_id,
        map_index=execution.map_index,
        try_number=execution.attempt,
        max_tries=execution.max_attempts,
        params=execution.conf,
        logical_date=execution.logical_date,
        data_interval_start=execution.data_interval_start,
        data_interval_end=execution.data_interval_end,
        idempotency_key=str(execution.task_run_id),
        fence=execution.epoch,
    )
