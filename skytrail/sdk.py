"""What the authors of DAGs, and the code of tasks, import: `from skytrail.sdk import dag, task`.

Importing it needs neither Django nor a database, so that tasks can be tested by themselves.
"""

from typing import TYPE_CHECKING, Any

from dags_app.authoring.assets import Asset, AssetAll, AssetAny
from dags_app.authoring.builder import DagBuilder
from dags_app.authoring.dags import DAG
from dags_app.authoring.decorators import setup, task, teardown
from dags_app.authoring.factories import dag
from dags_app.authoring.groups import TaskGroup, task_group
from dags_app.authoring.nodes import chain, chain_linear, cross_downstream
from dags_app.authoring.operators import (
    Approval,
    Bash,
    Branch,
    Celery,
    Empty,
    ExternalSensor,
    FileSensor,
    Http,
    HttpSensor,
    LatestOnly,
    Python,
    PythonSensor,
    ShortCircuit,
    Sql,
    SqlSensor,
    TimeSensor,
    TriggerDag,
)
from dags_app.authoring.outputs import Output
from dags_app.authoring.params import Param
from runs_app.at_work.artifacts import Artifact, artifact
from runs_app.at_work.context import Context, get_current_context
from runs_app.at_work.secrets import Connection, Variable
from runs_app.at_work.state import state
from runs_app.domain.outcomes import Fail, Skip

if TYPE_CHECKING:
    from dags_app.domain.tasks import TriggerRule

__all__ = [
    "DAG",
    "Approval",
    "Artifact",
    "Asset",
    "AssetAll",
    "AssetAny",
    "Bash",
    "Branch",
    "Celery",
    "Connection",
    "Context",
    "DagBuilder",
    "Empty",
    "ExternalSensor",
    "Fail",
    "FileSensor",
    "Http",
    "HttpSensor",
    "LatestOnly",
    "Output",
    "Param",
    "Python",
    "PythonSensor",
    "ShortCircuit",
    "Skip",
    "Sql",
    "SqlSensor",
    "TaskGroup",
    "TimeSensor",
    "TriggerDag",
    "TriggerRule",
    "Variable",
    "artifact",
    "chain",
    "chain_linear",
    "cross_downstream",
    "dag",
    "get_current_context",
    "setup",
    "state",
    "task",
    "task_group",
    "teardown",
]


def __getattr__(name: str) -> Any:
    # It is defined beside what takes a while to import, and few files use it.
    if name == "TriggerRule":
        from dags_app.domain.tasks import TriggerRule

        return TriggerRule
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
