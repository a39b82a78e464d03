"""A frozen version as its runs are told from it: tasks by position, and how they behave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dags_app.domain.commands import TaskType
from dags_app.domain.spec import DagSpec
from dags_app.domain.tasks import TaskFields, TriggerRule
from runs_app.domain.graph import Graph, Node


@dataclass(frozen=True, slots=True)
class Step:
    """A task of a version, as a run of it needs to know it."""

    node: Node
    #: Of the row in `skytrail_version_task`, in hexadecimal.
    key: str
    #: Of a mapped task: the values of its instances, as JSON.
    values: tuple[str, ...]
    #: Of a branch: the tasks that it may go on with.
    choices: tuple[str, ...]
    #: Its message rides with the one before: it is claimed while it waits.
    rides: bool
    #: Of a task that waits for something: fewer than so many looks are in vain.
    pokes: int
    #: How long a try usually takes, in seconds.
    median: float
    retries: int
    retry_delay: float
    queue: str
    pool: str | None
    pool_slots: int
    priority: int
    type: TaskType
    #: The assets that are new when it has succeeded.
    outlets: tuple[str, ...]


@dataclass(slots=True)
class Version:
    """A version and its graph. `since` is when it came to hold, in microseconds."""

    key: str
    number: int
    spec: DagSpec
    since: int
    note: str
    steps: list[Step]
    graph: Graph

    @property
    def rows(self) -> int:
        """The task runs that a run of it has, if all goes well."""
        return rows_of(self.spec)


@dataclass(slots=True, kw_only=True)
class Nature:
    """How the runs of a DAG usually go."""

    #: How likely a try fails.
    failing: float = 0.003
    #: Which part of its tries finds nothing to do.
    skipping: float = 0.0
    #: By how many times its usual duration a task takes longer at the end than at the beginning.
    growth: float = 0.0
    #: Since when the task at `broken_at` fails always; None: nothing is broken.
    broken_since: int | None = None
    broken_at: int = 0
    #: How likely a run is cancelled.
    cancelled: float = 0.002
    #: How likely a run that has failed is cleared by somebody.
    cleared: float = 0.2


@dataclass(slots=True, kw_only=True)
class Seeded:
    """A DAG to be written, with its versions, oldest first."""

    key: str
    spec: DagSpec
    nature: Nature
    born: int
    #: Since when it is paused; None: it is not.
    paused_since: int | None
    versions: list[Version] = field(default_factory=list)
    #: The ticks of its schedule that have runs, oldest first.
    ticks: list[int] = field(default_factory=list)
    #: Those that its overlap policy has passed over.
    skipped: list[int] = field(default_factory=list)
    last_tick: int | None = None

    def version_at(self, at: int) -> Version:
        """The one that held then."""
        return next(
            (version for version in reversed(self.versions) if version.since <= at),
            self.versions[0],
        )


def rows_of(spec: DagSpec) -> int:
    """The task runs of a run in which everything mapped is expanded."""
    return len(spec.tasks) + sum(len(values_of(task)) for task in spec.tasks)


def values_of(task: TaskFields) -> list[dict[str, object]]:
    """The values of each instance, where one list of them is written down."""
    (name, values), *_ = (task.expand or {"": []}).items()
    return [{name: value} for value in values] if isinstance(values, list) else []


def graph_of(tasks: Sequence[TaskFields]) -> Graph:
    """The graph of tasks in topological order, as `runs_app.selectors.graphs` reads it from rows.

    Only for what seeded definitions have: no setup and teardown, nothing that asks for the past.
    """
    position_of = {task.id: position for position, task in enumerate(tasks)}
    return Graph(
        [
            Node(
                position,
                task.id,
                tuple(sorted(position_of[name] for name in task.depends_on)),
                trigger_rule=TriggerRule(task.trigger_rule),
                is_branch=task.type is TaskType.BRANCH,
                is_gated=task.pool is not None,
                is_mapped=task.is_mapped,
            )
            for position, task in enumerate(tasks)
        ]
    )
