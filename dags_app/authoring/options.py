"""What every task takes, whatever it does: the keyword arguments that all ways of making one share.

Names are those of a task in a JSON definition; where Airflow has another name for the same thing it
is read as well, and a `timedelta` may stand for seconds. What Airflow has and Skytrail does
otherwise is refused with the way to go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

from dags_app.authoring.errors import BadArgument, UnknownArgument, hint
from dags_app.authoring.values import seconds

if TYPE_CHECKING:
    from dags_app.authoring.assets import Asset
    from dags_app.authoring.dags import DAG
    from dags_app.authoring.groups import TaskGroup
    from dags_app.domain.tasks import TriggerRule

#: Seconds, or a timedelta.
Duration: TypeAlias = float | timedelta


class TaskOptions(TypedDict, total=False):
    """Settings that every task has; docs/definition.md says what they mean."""

    description: str
    doc_md: str
    """The same as `description`."""
    depends_on: object
    """The tasks directly before it: as `[a, b] >> this`; ids of tasks are understood too."""
    trigger_rule: TriggerRule | str
    retries: int
    retry_delay: Duration
    retry_delay_seconds: Duration
    retry_exponential_backoff: float
    max_retry_delay: Duration
    max_retry_delay_seconds: Duration
    execution_timeout: Duration | None
    """The same as `timeout_seconds`: how long one try may take."""
    timeout_seconds: Duration | None
    queued_timeout_seconds: Duration | None
    memory_limit_mb: int | None
    priority: int
    priority_weight: int
    """The same as `priority`."""
    queue: str
    pool: str | None
    pool_slots: int
    rerun_on_worker_loss: bool
    setup: bool
    teardown: bool
    on_failure_fail_dagrun: bool
    depends_on_past: bool
    wait_for_downstream: bool
    expand: Mapping[str, object]
    """Lists (or outputs that will be lists): one instance for each combination of their values."""
    expand_kwargs: object
    """A list of dicts (or an output that will be one): one instance for each."""
    max_map_length: int
    outlets: Iterable[Asset | str]


class SensorOptions(TaskOptions, total=False):
    """Settings that every sensor has besides."""

    poke_interval: Duration
    poke_interval_seconds: Duration
    timeout: Duration
    """The same as `wait_timeout_seconds`: how long to wait in all."""
    wait_timeout_seconds: Duration
    soft_fail: bool


class Place(TypedDict, total=False):
    """Where a task belongs, if not into the `with` blocks around."""

    dag: DAG | None
    task_group: TaskGroup | None


class OperatorOptions(TaskOptions, Place, total=False):
    """What the classes of tasks take."""


class SensorOperatorOptions(SensorOptions, Place, total=False):
    """What the classes of sensors take."""


#: Airflow's names for what has another one in a definition.
OTHER_NAMES: Mapping[str, str] = {
    "doc_md": "description",
    "retry_delay": "retry_delay_seconds",
    "max_retry_delay": "max_retry_delay_seconds",
    "execution_timeout": "timeout_seconds",
    "priority_weight": "priority",
    "poke_interval": "poke_interval_seconds",
    "timeout": "wait_timeout_seconds",
}

#: What Airflow's tasks take and Skytrail's do not: what to do instead.
REFUSED: Mapping[str, str] = {
    "doc": "it is called description",
    "task_display_name": "the id is shown; description= takes any text",
    "owner": "give it to the DAG",
    "start_date": "give it to the DAG: all its tasks begin with it",
    "end_date": "give it to the DAG: all its tasks end with it",
    "email": "raise alerts from a task with trigger_rule='one_failed'",
    "email_on_failure": "raise alerts from a task with trigger_rule='one_failed'",
    "email_on_retry": "raise alerts from a task with trigger_rule='one_failed'",
    "on_failure_callback": "use a task with trigger_rule='one_failed'",
    "on_success_callback": "use a task behind it",
    "on_retry_callback": "retries are in the task's history and log",
    "on_execute_callback": "do it at the beginning of the task's code",
    "on_skipped_callback": "use a task with trigger_rule='all_skipped'",
    "pre_execute": "do it at the beginning of the task's code",
    "post_execute": "do it at the end of the task's code",
    "weight_rule": "priority= counts as it is written",
    "max_active_tis_per_dag": "use a pool",
    "max_active_tis_per_dagrun": "use a pool",
    "run_as_user": "start a worker as that user, with a queue of its own",
    "executor": "use queue= and a worker for it",
    "executor_config": "use queue= and a worker for it",
    "resources": "use memory_limit_mb=, pool_slots= and queue=",
    "do_xcom_push": "return None where there is nothing to keep",
    "inlets": "schedule= of the DAG says which assets start it",
    "mode": "no sensor holds a worker between two looks; leave it out",
    "sla": "use execution_timeout= of the task, or dagrun_timeout= of the DAG",
    "bash_command": "it is called command",
    "python_callable": "it is called callable",
    "op_args": "it is called args",
    "op_kwargs": "it is called kwargs",
    "templates_dict": "templates in args and kwargs are rendered",
    "endpoint": "uri takes the whole address",
    "http_conn_id": "it is called conn_id",
    "data": "it is called json, or body for text",
    "filepath": "it is called path",
    "trigger_dag_id": "it is called dag_id",
    "external_dag_id": "it is called dag_id",
    "external_task_id": "it is called task_ids, a list",
    "external_task_ids": "it is called task_ids",
    "execution_delta": "it is called delta_seconds",
    "target_time": "it is called until",
}

COMMON = frozenset(TaskOptions.__annotations__)
OF_SENSORS = COMMON | SensorOptions.__annotations__.keys()


def read(
    given: Mapping[str, Any],
    *,
    owner: str,
    known: Collection[str],
    other_names: Mapping[str, str] = OTHER_NAMES,
    refused: Mapping[str, str] = REFUSED,
) -> dict[str, Any]:
    """`given` under the names of a definition, with durations in seconds.

    Raises `UnknownArgument` for what is not `known`, and `BadArgument` where one thing is given
    under two names.
    """
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            way_out = f": {refused[name]}" if name in refused else hint(name, known, "; remove it")
            raise UnknownArgument(owner=owner, name=name, hint=way_out)
        key = other_names.get(name, name)
        if key in found:
            other = next(one for one in given if one != name and other_names.get(one, one) == key)
            problem = f"and {other} are two names for one thing: keep one of them"
            raise BadArgument(owner=owner, name=name, problem=problem)
        found[key] = _in_seconds(key, value)
    return found


def _in_seconds(key: str, value: Any) -> Any:
    if isinstance(value, timedelta) and key.endswith("_seconds"):
        return seconds(value)
    if key == "retry_exponential_backoff" and isinstance(value, bool):
        return 2 if value else 0  # Airflow's older form, which doubles the delay
    return value
