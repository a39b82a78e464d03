"""What is known of a run and its surroundings at a time: all that an explanation is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

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


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolFacts:
    """A pool, and who has its slots."""

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
class RunFacts:
    """A run at a time. What is not known for a past time (`is_past`) is left empty."""

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
    #: By position: tasks of the run before that it waits for, as `task (state)`.
    held_by_past: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    #: By key: what an open question asks, and whom.
    questions: Mapping[Key, tuple[str, tuple[str, ...]]] = field(default_factory=dict)

    def upstream_of(self, task: TaskFacts) -> list[TaskFacts]:
        """The task runs right before one: all instances of a mapped task."""
        position, index = task.key
        wanted = set(self.graph.nodes[position].upstream)
        before = [other for key, other in self.tasks.items() if key[0] in wanted]
        if index >= 0 and (own := self.tasks.get((position, -1))):
            before.append(own)
        return before
