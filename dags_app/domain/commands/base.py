"""A task's type and its parameters, as they are stored and as an executor sees them."""

from __future__ import annotations

import enum
import hashlib
import json
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict


class TaskType(enum.StrEnum):
    """The kinds of task that workers know how to execute."""

    EMPTY = "empty"
    BASH = "bash"
    PYTHON = "python"
    CELERY = "celery"
    HTTP = "http"
    SQL = "sql"
    BRANCH = "branch"
    SHORT_CIRCUIT = "short_circuit"
    LATEST_ONLY = "latest_only"
    PYTHON_SENSOR = "python_sensor"
    FILE_SENSOR = "file_sensor"
    HTTP_SENSOR = "http_sensor"
    SQL_SENSOR = "sql_sensor"
    TIME_SENSOR = "time_sensor"
    EXTERNAL_SENSOR = "external_sensor"
    APPROVAL = "approval"
    TRIGGER_DAG = "trigger_dag"


class Command(BaseModel):
    """A task's type and its parameters: all that an executor is told by the author."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    type: TaskType

    #: Parameters in which `{{ … }}` is rendered before the command runs.
    templated: ClassVar[frozenset[str]] = frozenset()

    def parameters(self) -> dict[str, Any]:
        """The parameters that differ from their defaults, as JSON values."""
        return self.model_dump(mode="json", by_alias=True, exclude={"type"}, exclude_defaults=True)

    def canonical(self) -> str:
        """The text that is stored and summed: JSON with sorted keys and no blanks."""
        document = {"type": self.type, **self.parameters()}
        return json.dumps(document, sort_keys=True, separators=(",", ":"))


def digest_of(canonical: str) -> str:
    """The digest under which a command's canonical text is stored: SHA-256 in hexadecimal."""
    return hashlib.sha256(canonical.encode()).hexdigest()
