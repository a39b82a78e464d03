"""Which executor does which type of task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dags_app.domain.commands import TaskType
from workers.executors.approval import ApprovalExecutor
from workers.executors.bash import BashExecutor
from workers.executors.branch import BranchExecutor
from workers.executors.celery_task import CeleryExecutor
from workers.executors.contract import Executor
from workers.executors.empty import EmptyExecutor
from workers.executors.external_sensor import ExternalSensorExecutor
from workers.executors.file_sensor import FileSensorExecutor
from workers.executors.http import HttpExecutor
from workers.executors.http_sensor import HttpSensorExecutor
from workers.executors.latest_only import LatestOnlyExecutor
from workers.executors.python import PythonExecutor
from workers.executors.python_sensor import PythonSensorExecutor
from workers.executors.short_circuit import ShortCircuitExecutor
from workers.executors.sql import SqlExecutor
from workers.executors.sql_sensor import SqlSensorExecutor
from workers.executors.time_sensor import TimeSensorExecutor
from workers.executors.trigger_dag import TriggerDagExecutor

EXECUTORS: Mapping[TaskType, Executor[Any]] = {
    TaskType.EMPTY: EmptyExecutor(),
    TaskType.BASH: BashExecutor(),
    TaskType.PYTHON: PythonExecutor(),
    TaskType.CELERY: CeleryExecutor(),
    TaskType.HTTP: HttpExecutor(),
    TaskType.SQL: SqlExecutor(),
    TaskType.BRANCH: BranchExecutor(),
    TaskType.SHORT_CIRCUIT: ShortCircuitExecutor(),
    TaskType.LATEST_ONLY: LatestOnlyExecutor(),
    TaskType.PYTHON_SENSOR: PythonSensorExecutor(),
    TaskType.FILE_SENSOR: FileSensorExecutor(),
    TaskType.HTTP_SENSOR: HttpSensorExecutor(),
    TaskType.SQL_SENSOR: SqlSensorExecutor(),
    TaskType.TIME_SENSOR: TimeSensorExecutor(),
    TaskType.EXTERNAL_SENSOR: ExternalSensorExecutor(),
    TaskType.APPROVAL: ApprovalExecutor(),
    TaskType.TRIGGER_DAG: TriggerDagExecutor(),
}
