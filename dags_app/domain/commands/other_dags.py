"""Tasks that have to do with other DAGs."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from dags_app.domain.commands.base import Command, TaskType
from dags_app.domain.fields import Flag, Identifier, Number, WordSet


class TriggerDagCommand(Command):
    """Triggers a run of another DAG and, if wished, waits for its end."""

    type: Literal[TaskType.TRIGGER_DAG]
    dag_id: Identifier
    """The DAG to run."""
    conf: dict[str, Any] = {}
    """Values for its parameters; templates are rendered."""
    run_id: str | None = Field(default=None, max_length=500)
    """The new run's id; templates are rendered. Made from the time, if left out."""
    logical_date: str | None = Field(default=None, max_length=500)
    """The new run's logical date; templates are rendered."""
    wait_for_completion: Flag = False
    """Whether to wait for its end. No worker is held meanwhile."""
    poke_interval_seconds: Number = Field(default=10.0, ge=0.1, le=86_400)
    """How long to wait before looking again whether it has ended."""
    wait_timeout_seconds: Number = Field(default=604_800.0, gt=0, le=31_536_000)
    """How long to wait for its end."""
    allowed_states: WordSet = ["success"]
    """Ends of the run that let this task succeed."""
    failed_states: WordSet = ["cancelled", "failed"]
    """Ends of the run that fail this task."""

    templated: ClassVar = frozenset({"conf", "run_id", "logical_date"})
