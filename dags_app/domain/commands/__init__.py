"""What a task does: its type, and the parameters that belong to it.

A `Command` is this part of a task alone. It is stored by the digest of its canonical form, so that
equal commands are one row and a worker can tell whether what it got is what was asked for.
Adding a type here is one half of adding an executor; the other is in `workers/executors`.
"""

from dags_app.domain.commands.base import Command, TaskType, digest_of
from dags_app.domain.commands.code import BashCommand, CeleryCommand, EmptyCommand, PythonCommand
from dags_app.domain.commands.decisions import (
    BranchCommand,
    LatestOnlyCommand,
    ShortCircuitCommand,
)
from dags_app.domain.commands.other_dags import TriggerDagCommand
from dags_app.domain.commands.people import ApprovalCommand
from dags_app.domain.commands.sensors import (
    ExternalSensorCommand,
    FileSensorCommand,
    HttpSensorCommand,
    PythonSensorCommand,
    SensorCommand,
    SqlSensorCommand,
    TimeSensorCommand,
)
from dags_app.domain.commands.sql import SqlCommand
from dags_app.domain.commands.web import HttpCommand

__all__ = [
    "ApprovalCommand",
    "BashCommand",
    "BranchCommand",
    "CeleryCommand",
    "Command",
    "EmptyCommand",
    "ExternalSensorCommand",
    "FileSensorCommand",
    "HttpCommand",
    "HttpSensorCommand",
    "LatestOnlyCommand",
    "PythonCommand",
    "PythonSensorCommand",
    "SensorCommand",
    "ShortCircuitCommand",
    "SqlCommand",
    "SqlSensorCommand",
    "TaskType",
    "TimeSensorCommand",
    "TriggerDagCommand",
    "digest_of",
]
