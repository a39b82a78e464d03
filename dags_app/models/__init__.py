"""What was asked for: the editable blueprint, and the versions frozen from it."""

from dags_app.models.command import Command
from dags_app.models.dag import Dag, DagSource
from dags_app.models.file import DagFile, DagImportError
from dags_app.models.pause import DagPause
from dags_app.models.task import Task, TaskDependency
from dags_app.models.version import DagVersion, VersionTask

__all__ = [
    "Command",
    "Dag",
    "DagFile",
    "DagImportError",
    "DagPause",
    "DagSource",
    "DagVersion",
    "Task",
    "TaskDependency",
    "VersionTask",
]
