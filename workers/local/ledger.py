"""Where the tasks of a local run stand: values where the engine has rows.

What follows from where they stand is the planner's to say, as it is in production. The moves are
those of `runs_app/domain/states.py`.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from dags_app.domain.commands import TaskType, digest_of
from dags_app.domain.spec import DagSpec
from dags_app.domain.tasks import TaskFields
from runs_app.domain.executions import Execution
from runs_app.domain.graph import Instance, Step, step_of
from runs_app.domain.outcomes import Outcome
from runs_app.domain.planner import Row, Standing, plan, ready_among, standings_of
from runs_app.domain.retries import next_state
from runs_app.domain.states import ALLOWED, POKING, SLEEPING, RunState, TaskState
from workers.local.facts import RunFacts
from workers.local.graphs import graph_of
from workers.local.transcript import Transcript


@dataclass(slots=True)
class Try:
    """One execution of a task: a try, or a look of one that waits. Times by `time.monotonic()`."""

    number: int
    began: float
    state: TaskState = TaskState.RUNNING
    message: str = ""
    reason: str = ""
    exit_code: int | None = None
    ended: float | None = None
    transcript: Transcript = field(default_factory=Transcript)


@dataclass(slots=True, eq=False)
class LocalTask:
    """A task of the run, or one instance of a mapped one."""

    spec: TaskFields
    position: int
    map_index: int = -1
    map_values: dict[str, Any] | None = None
    id: UUID = field(default_factory=uuid4)
    state: TaskState = TaskState.WAITING
    attempt: int = 0
    epoch: int = 0
    chosen: frozenset[int] | None = None
    #: Of a mapped task that has been expanded: how many instances it has.
    length: int | None = None
    output: Any = None
    tries: list[Try] = field(default_factory=list)
    #: In how many seconds it is to be taken up again, where it sleeps.
    wake_after: float | None = None
    #: When that is, and since when it waits for something: by the run's clock.
    wake_at: float | None = None
    waiting_since: float | None = None

    @property
    def step(self) -> Step:
        return step_of(self.position, self.map_index)

    @property
    def name(self) -> str:
        """Its id; of an instance with its index."""
        return self.spec.id if self.map_index < 0 else f"{self.spec.id}[{self.map_index}]"


class _Turn(NamedTuple):
    """A place in the line: by priority, then in the order of the graph."""

    rank: int
    position: int
    map_index: int
    task: LocalTask


def _row(task: LocalTask) -> Row:
    return task.position, task.map_index, task.state, task.chosen, task.length


class Ledger:
    """A run and its tasks."""

    def __init__(
        self, spec: DagSpec, facts: RunFacts, *, outputs: Mapping[str, Any] | None = None
    ) -> None:
        """`outputs`: what tasks are taken to have left, by id, without being executed."""
        self.spec = spec
        self._outputs = outputs or {}
        self.facts = facts
        self.key = uuid4()
        self.graph = graph_of(spec)
        self.state = RunState.RUNNING
        self.tasks: dict[Step, LocalTask] = {
            position: LocalTask(task, position) for position, task in enumerate(spec.in_order())
        }
        #: What is queued, whose turn it is first; and what waits for a time.
        self._line: list[_Turn] = []
        self._asleep: set[LocalTask] = set()

    def in_order(self) -> list[LocalTask]:
        """All tasks by position, the instances of each behind it."""
        return sorted(self.tasks.values(), key=lambda task: (task.position, task.map_index))

    def instances(self, position: int) -> list[LocalTask]:
        """Those of a mapped task that has been expanded, in order."""
        length = self.tasks[position].length or 0
        return [self.tasks[Instance(position, index)] for index in range(length)]

    # ----------------------------------------------------------- what follows

    def follow(self, ended: LocalTask) -> Iterator[LocalTask]:
        """Carries out what follows from the end of an execution; each task that it moves.

        Where all went well a look at what comes directly behind it will do.
        """
        if not ended.state.is_final:
            return
        if ended.state is TaskState.SUCCESS and ended.length is None:
            towards = self.graph.downstream[ended.position]
            ready = ready_among(self.graph, towards, self._standings_around(towards))
            if ready or (ready is not None and (self._line or self._asleep)):
                for position in ready:
                    yield self.queue(self.tasks[position])
                return
        yield from self.advance()

    def advance(self) -> Iterator[LocalTask]:
        """Makes the plan and carries it out; each task that it moves.

        Nothing is held back by the run before: there is none.
        """
        found = plan(self.graph, self._standings())
        skipped: list[Step] = [*found.skipped, *found.skipped_instances]
        for step in skipped:
            yield self._move(self.tasks[step], TaskState.SKIPPED)
        for position in found.upstream_failed:
            yield self._move(self.tasks[position], TaskState.UPSTREAM_FAILED)
        if found.ends:
            self.state = found.ends
            return
        ready: list[Step] = [*found.ready, *found.ready_instances]
        for step in ready:
            yield self.queue(self.tasks[step])
        if found.stopped:
            yield from self._stop(found.stopped)
            yield from self.advance()

    def _stop(self, positions: Iterable[int]) -> Iterator[LocalTask]:
        """One task is executed at a time, so what is to be stopped is not being executed."""
        stopping = set(positions)
        for task in self.in_order():
            over = task.state.is_final or task.state is TaskState.WAITING
            if task.position in stopping and not over:
                yield self._move(task, TaskState.CANCELLED)
        self._line = [turn for turn in self._line if turn.task.state is TaskState.QUEUED]
        heapq.heapify(self._line)

    def _standings(self) -> dict[int, Standing]:
        return standings_of(_row(task) for task in self.tasks.values())

    def _standings_around(self, positions: Iterable[int]) -> dict[int, Standing]:
        """Of these positions and of those directly before them."""
        nodes = self.graph.nodes
        wanted = {
            place for position in positions for place in (position, *nodes[position].upstream)
        }
        return standings_of(
            _row(task)
            for position in wanted
            for task in (self.tasks[position], *self.instances(position))
        )

    # ----------------------------------------------------------- moves

    def _move(self, task: LocalTask, state: TaskState) -> LocalTask:
        assert state in ALLOWED[task.state], f"{task.name}: {task.state} → {state}"
        task.state = state
        task.wake_at = None
        self._asleep.discard(task)
        return task

    def queue(self, task: LocalTask) -> LocalTask:
        """Its turn has come, for the first time or again."""
        task.attempt += task.state not in POKING
        heapq.heappush(self._line, _Turn(-task.spec.priority, task.position, task.map_index, task))
        return self._move(task, TaskState.QUEUED)

    def next_queued(self) -> LocalTask | None:
        """Which of the queued tasks goes first: by priority, then in the order of the graph."""
        return heapq.heappop(self._line).task if self._line else None

    def next_sleeping(self) -> LocalTask | None:
        """Which of those that wait for a time is taken up again first."""
        return min(self._asleep, key=lambda task: task.wake_at or 0.0, default=None)

    def begin(self, task: LocalTask, *, now: float) -> Execution:
        """Starts an execution of a queued task; `now` by the run's clock."""
        self._move(task, TaskState.RUNNING)
        task.epoch += 1
        task.chosen = None
        task.tries.append(Try(task.attempt, began=time.monotonic()))
        if task.waiting_since is None:
            task.waiting_since = now
        return self._execution(task, waited=now - task.waiting_since)

    def end(self, task: LocalTask, execution: Execution, outcome: Outcome, *, now: float) -> None:
        """Keeps how an execution ended, and what is to become of the task."""
        last = task.tries[-1]
        last.transcript.close()
        last.state, last.ended = outcome.state, time.monotonic()
        last.message, last.reason = outcome.message, outcome.reason
        last.exit_code = outcome.exit_code
        state, wake_after = next_state(execution, outcome)
        if state is TaskState.CANCELLED:
            self._move(task, TaskState.CANCELLING)
        self._move(task, state)
        if state in SLEEPING and wake_after is not None:
            task.wake_after = wake_after
            task.wake_at = now + wake_after
            self._asleep.add(task)
        if state not in POKING:
            task.waiting_since = None
        if state is TaskState.SUCCESS:
            task.output = outcome.output
            if outcome.chosen is not None:
                task.chosen = frozenset(self.graph.position_of[name] for name in outcome.chosen)
        if outcome.instances is not None and state in {TaskState.SUCCESS, TaskState.SKIPPED}:
            self._expand(task, outcome.instances)

    def _expand(self, task: LocalTask, instances: tuple[dict[str, Any], ...]) -> None:
        for index, values in enumerate(instances):
            instance = LocalTask(task.spec, task.position, index, values)
            self.tasks[instance.step] = instance
        task.length = len(instances)  # last: whoever shows the run may look at it meanwhile

    def give_up(self, state: RunState) -> Iterator[LocalTask]:
        """Ends the run before its time: what is not over is cancelled."""
        self.state = state
        for task in self.in_order():
            if not task.state.is_final:
                yield self._move(task, TaskState.CANCELLED)

    # ----------------------------------------------------------- what tasks are given

    def outputs(self, task_ids: Iterable[str]) -> dict[str, Any]:
        """What these tasks have left; one that left nothing is missing. Of a mapped task a list."""
        found: dict[str, Any] = {}
        for task_id in task_ids:
            task = self.tasks[self.graph.position_of[task_id]]
            output = self._outputs.get(task_id, self.output_of(task))
            if output is not None:
                found[task_id] = output
        return found

    def output_of(self, task: LocalTask) -> Any:
        """What a task has left; of a mapped one the list of what its instances have."""
        if task.length is None:
            return task.output
        return [instance.output for instance in self.instances(task.position)]

    def _execution(self, task: LocalTask, *, waited: float) -> Execution:
        spec, facts = task.spec, self.facts
        canonical = spec.as_command().canonical()
        return Execution(
            task_run_id=task.id,
            epoch=task.epoch,
            attempt=task.attempt,
            max_attempts=spec.retries + 1,
            task_id=spec.id,
            map_index=task.map_index,
            map_values=task.map_values,
            dag_id=self.spec.name,
            run_pk=self.key,
            run_id=facts.run_id,
            run_type="manual",
            logical_date=facts.logical_date,
            data_interval_start=facts.data_interval_start,
            data_interval_end=facts.data_interval_end,
            conf=facts.conf,
            command_digest=digest_of(canonical),
            command=canonical,
            timeout_seconds=spec.timeout_seconds,
            queued_timeout_seconds=spec.queued_timeout_seconds,
            memory_limit_mb=spec.memory_limit_mb,
            retry_delay_seconds=spec.retry_delay_seconds,
            retry_exponential_backoff=spec.retry_exponential_backoff,
            max_retry_delay_seconds=spec.max_retry_delay_seconds,
            waited_seconds=waited,
            outlets=list(spec.outlets),
            expand=spec.expand,
            expand_kwargs=spec.expand_kwargs,
            max_map_length=spec.max_map_length,
            downstream=self._after(task) if spec.type is TaskType.BRANCH else [],
        )

    def _after(self, task: LocalTask) -> list[str]:
        return [self.graph.nodes[after].task_id for after in self.graph.downstream[task.position]]
