"""What a worker is given when it claims a task run, and what it is told when it has finished."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from runs_app.domain.states import TaskState


@dataclass(frozen=True, slots=True)
class Execution:
    """One claimed execution: who it is, what to do, and by which rules. Times in seconds."""

    task_run_id: UUID
    epoch: int
    attempt: int
    max_attempts: int
    task_id: str
    map_index: int
    #: Of an instance of a mapped task: the values that it is for.
    map_values: dict[str, Any] | None
    dag_id: str
    run_pk: UUID
    run_id: str
    run_type: str
    logical_date: datetime | None
    data_interval_start: datetime | None
    data_interval_end: datetime | None
    conf: dict[str, Any]
    command_digest: str
    command: str
    timeout_seconds: float | None
    queued_timeout_seconds: float | None
    memory_limit_mb: int | None
    retry_delay_seconds: float
    retry_exponential_backoff: float
    max_retry_delay_seconds: float
    #: For how many seconds this try has been waiting for something; see `Outcome.poke_again`.
    waited_seconds: float
    #: The assets that it has made new when it has succeeded.
    outlets: list[str]
    #: Over what the task is to be expanded, if it is mapped.
    expand: dict[str, Any] | None
    expand_kwargs: Any
    max_map_length: int
    #: The tasks a branch may choose from; empty for other tasks.
    downstream: list[str]

    @property
    def is_expansion(self) -> bool:
        """Whether this finds out which instances its task has, rather than being one of them."""
        return self.map_index < 0 and (self.expand is not None or self.expand_kwargs is not None)


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of an execution. `needs_dispatch`: the canvas alone will not carry it on."""

    state: TaskState
    run_pk: UUID
    needs_dispatch: bool
