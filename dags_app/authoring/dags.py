"""A DAG as it is written in Python, and the definition that it comes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self, TypedDict, Unpack

from dags_app.authoring import (
    arrows,
    collection,
    options,
    params,
    places,
    schedules,
    scope,
    trying,
)
from dags_app.authoring.defaults import read_defaults
from dags_app.authoring.errors import BadDag, DuplicateTaskId, NoSuchTask, hint
from dags_app.authoring.options import Duration
from dags_app.authoring.schedules import Schedule
from dags_app.authoring.values import plain

if TYPE_CHECKING:
    from dags_app.authoring.factories import DagFactory
    from dags_app.authoring.groups import TaskGroup
    from dags_app.authoring.nodes import End
    from dags_app.authoring.tasks import Task
    from dags_app.domain.spec import DagSpec


class DagOptions(TypedDict, total=False):
    """Settings of a DAG; docs/definition.md says what they mean."""

    description: str
    doc_md: str
    """The same as `description`."""
    owner: str
    tags: Iterable[str]
    schedule: Schedule
    timezone: str
    start_date: datetime | str | None
    end_date: datetime | str | None
    catchup: bool
    catchup_window: Duration | None
    catchup_window_seconds: Duration | None
    overlap_policy: str
    max_active_runs: int
    max_active_tasks: int | None
    dagrun_timeout: Duration | None
    """The same as `run_timeout_seconds`."""
    run_timeout_seconds: Duration | None
    fail_fast: bool
    params: Mapping[str, object]
    """For each parameter a `Param`, or its default."""
    default_args: Mapping[str, Any]
    is_paused_upon_creation: bool | None
    auto_register: bool
    """Whether the file loader takes it; true if not given."""


_OTHER_NAMES = {
    "doc_md": "description",
    "dagrun_timeout": "run_timeout_seconds",
    "catchup_window": "catchup_window_seconds",
    "is_paused_upon_creation": "paused",
}

#: What Airflow's DAGs take and Skytrail's do not: what to do instead.
_REFUSED = {
    "dag_display_name": "the id is shown; description= takes any text",
    "schedule_interval": "it is called schedule",
    "timetable": "it is called schedule",
    "concurrency": "it is called max_active_tasks",
    "template_searchpath": "read the file in the task's code",
    "template_undefined": "what is missing in a template is always an error",
    "user_defined_macros": "compute it in a task and use its output",
    "user_defined_filters": "compute it in a task and use its output",
    "jinja_environment_kwargs": "leave it out",
    "render_template_as_native_obj": "a text that is one expression always keeps its value's type",
    "max_consecutive_failed_dag_runs": "pause the DAG in a task with trigger_rule='one_failed'",
    "on_success_callback": "use a task behind the others",
    "on_failure_callback": "use a task behind the others with trigger_rule='one_failed'",
    "sla_miss_callback": "use dagrun_timeout=",
    "deadline": "use dagrun_timeout=",
    "access_control": "rights are given in the admin",
    "owner_links": "write links into description=",
    "orientation": "leave it out",
    "default_view": "leave it out",
    "fail_stop": "it is called fail_fast",
    "dag": "a DAG is in no other one",
}

#: `default_args` that Airflow gives to tasks, and that are the DAG's here.
_OF_THE_DAG = ("owner", "start_date", "end_date")


class DAG:
    """Named tasks, what each waits for, and when the whole is to run.

    `with DAG("daily", schedule="@daily") as dag:`, and within it tasks; or without a `with` block,
    tasks that are given `dag=dag`.
    """

    def __init__(self, dag_id: str, **given: Unpack[DagOptions]) -> None:
        self.dag_id = dag_id
        self.label = f"DAG({dag_id!r})"
        fields = options.read(
            given,
            owner=self.label,
            known=DagOptions.__annotations__.keys(),
            other_names=_OTHER_NAMES,
            refused=_REFUSED,
        )
        defaults = dict(fields.pop("default_args", {}))
        for name in _OF_THE_DAG:
            if name in defaults:
                fields.setdefault(name, defaults.pop(name))
        #: The `default_args`, under the names of a definition.
        self.defaults = read_defaults(defaults, owner=self.label)
        is_registered = fields.pop("auto_register", True)
        self.fields = fields
        self.by_id: dict[str, Task] = {}
        #: How far ids of tasks that are made more than once are numbered.
        self.numbers: dict[str, int] = {}
        #: Its task groups, by their paths.
        self.groups: dict[str, TaskGroup] = {}
        #: What comes before what, as it was written; the same for tasks that are only named.
        self.arrows: list[tuple[End, End]] = []
        self.named_arrows: list[tuple[str, Task]] = []
        #: The functions of its tasks, for workers that look for them (`places`).
        self.functions = SimpleNamespace()
        self.module = places.note_down(self)
        #: The function with @dag that made it, if it can make it again.
        self.factory: DagFactory[Any] | None = None
        if is_registered:
            collection.made(self)

    @property
    def dag(self) -> DAG:
        """Itself: what stands in it asks whatever is around for its DAG."""
        return self

    @property
    def tasks(self) -> list[Task]:
        """Its tasks, in the order of the lines."""
        return list(self.by_id.values())

    def add(self, task: Task) -> None:
        """Takes in a task. Raises `DuplicateTaskId`."""
        if self.by_id.setdefault(task.task_id, task) is not task:
            raise DuplicateTaskId(dag_id=self.dag_id, task_id=task.task_id)
        if task.group:
            task.group.children.append(task)

    def get_task(self, task_id: str) -> Task:
        """The task with this id. Raises `NoSuchTask`."""
        if task_id not in self.by_id:
            way_out = hint(task_id, self.by_id, "; add it, or correct the id")
            raise NoSuchTask(dag_id=self.dag_id, task_id=task_id, hint=way_out)
        return self.by_id[task_id]

    def document(self) -> dict[str, Any]:
        """The definition, as every door takes it. Raises what is wrong with how it was written."""
        upstream = arrows.upstream_of(self)
        document = {"name": self.dag_id} | {
            name: self._field(name, value) for name, value in self.fields.items()
        }
        if "timezone" not in document and (zone := _zone(self.fields.get("start_date"))):
            document["timezone"] = zone
        document["tasks"] = [task.document(upstream[task.task_id]) for task in self.tasks]
        return document

    def spec(self) -> DagSpec:
        """The definition, read and checked. Raises `BadDag` with everything that is wrong."""
        from dags_app.authoring.problems import in_words, sentence
        from dags_app.domain.parse import BadDefinition, parse

        document = self.document()
        try:
            return parse(document)
        except BadDefinition as error:
            problems = in_words(error.problems, document)
            shown = sentence(problems)
            raise BadDag(dag_id=self.dag_id, shown=shown, problems=problems) from None

    def test(
        self,
        *,
        conf: Mapping[str, Any] | None = None,
        logical_date: datetime | str | None = None,
        longest_wait: float = 5.0,
    ) -> Any:
        """Runs it in this process, without broker and database, and shows how it goes.

        As `skytrail dags test` does; to be written at the end of a file, below
        `if __name__ == "__main__":`. Returns a `skytrail.testing.RunResult`.
        """
        return trying.try_out(self, conf=conf, logical_date=logical_date, longest_wait=longest_wait)

    def _field(self, name: str, value: Any) -> Any:
        match name:
            case "schedule":
                return schedules.document(value, owner=self.label)
            case "params":
                return params.document(value)
            case "tags":
                return sorted(set(value))
            case _:
                return plain(value, owner=self.label, name=name)

    def __enter__(self) -> Self:
        scope.enter(self)
        return self

    def __exit__(self, *_: object) -> None:
        scope.leave()

    def __repr__(self) -> str:
        return f"<DAG {self.dag_id}>"


def _zone(moment: object) -> str | None:
    """The name of the time zone of a date: as in Airflow it is the DAG's, if it has no other."""
    zone: tzinfo | None = moment.tzinfo if isinstance(moment, datetime) else None
    return getattr(zone, "key", None)
