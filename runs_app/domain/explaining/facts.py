"""What is known of a run and its surroundings at a time: all that an explanation is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from runs_app.domain.graph import Graph
from runs_app.domain.states import RunState, TaskState

#: A task of a run: its position and map index.
Key = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFacts:
    """A task run. `since`, `reason` and `actor` are of the move into its state."""

    key: Key
    name: str
    state: TaskState
    since: datetime | None = None
    reason: str = ""
    actor: str = ""
    attempt: int = 0
    max_attempts: int = 1
    queue: str = "default"
    pool: str | None = None
    pool_slots: int = 1
    is_gated: bool = False
    ready_at: datetime | None = None
    queued_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    wake_at: datetime | None = None
    lease_expires_at: datetime | None = None
    worker: str = ""
    lost_count: int = 0
    chosen: tuple[str, ...] | None = None
    #: Of a mapped task that has been expanded: how many instances it has.
    map_length: int | None = None
    #: Of the last execution: what it ended with, and its own words.
    ended_with: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A task that has slots, of whatever run."""

    dag_id: str
    run_id: str
    task_id: str
    slots: int
    map_index: int = -1
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolFacts:
    """A pool, and who has its slots. How large it was at a past time is not kept: it is as now."""

    slots: int
    holders: tuple[Holder, ...] = ()

    @property
    def taken(self) -> int:
        return sum(holder.slots for holder in self.holders)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFacts:
    """A queue: who serves it, with how many processes; what runs from it, and what lies in it."""

    workers: tuple[str, ...] = ()
    processes: int = 0
    running: int = 0
    queued: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherRun:
    """Another run of the same DAG."""

    run_id: str
    state: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforeFacts:
    """The run before, for tasks that wait for it: the states of its tasks, by task id."""

    run_id: str
    states: Mapping[str, Sequence[TaskState]]


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveFacts:
    """A line of a task's history."""

    from_state: str = ""
    to: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """A run at a time. What is not known for a past time (`is_past`) is left empty.

    `tasks` has what is asked about and all that is before it, or the whole run.
    """

    dag_id: str
    run_id: str
    run_type: str
    state: RunState
    at: datetime
    graph: Graph
    tasks: Mapping[Key, TaskFacts]
    is_past: bool = False
    since: datetime | None = None
    reason: str = ""
    actor: str = ""
    logical_date: datetime | None = None
    queued_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    timed_out: bool = False
    runs_at_once: int = 16
    max_active_tasks: int | None = None
    overlap_policy: str = "allow"
    under_way: tuple[OtherRun, ...] = ()
    ahead: int = 0
    pools: Mapping[str, PoolFacts] = field(default_factory=dict)
    active_tasks: tuple[Holder, ...] = ()
    queues: Mapping[str, QueueFacts] = field(default_factory=dict)
    before: BeforeFacts | None = None
    #: Workers that have not been heard of for a while: when they were.
    silent: Mapping[str, datetime] = field(default_factory=dict)
    #: By key: what an open question asks, and whom.
    questions: Mapping[Key, tuple[str, tuple[str, ...]]] = field(default_factory=dict)

    #: The history of the task that is asked about, oldest first.
    moves: tuple[MoveFacts, ...] = ()

    @property
    def is_missing(self) -> bool:
        """Whether it had not been made at that time."""
        return self.is_past and self.at < self.queued_at

    @cached_property
    def _rows(self) -> dict[int, list[TaskFacts]]:
        """The rows of each task that count: of a mapped one its instances, once it has any."""
        found: dict[int, list[TaskFacts]] = {}
        for (position, index), task in self.tasks.items():
            own = self.tasks.get((position, -1))
            length = own.map_length if own and own.state is TaskState.SUCCESS else None
            if (index < 0) if length is None else (0 <= index < length):
                found.setdefault(position, []).append(task)
        return found

    @cached_property
    def counted(self) -> list[TaskFacts]:
        """The rows that count, of all tasks."""
        return [task for rows in self._rows.values() for task in rows]

    def upstream_of(self, task: TaskFacts) -> list[TaskFacts]:
        """The task runs right before one; before an instance that is what it has come from."""
        position, index = task.key
        if index >= 0:
            return [self.tasks[position, -1]]
        before = self.graph.nodes[position].upstream
        return [row for parent in before for row in self._rows.get(parent, ())]
