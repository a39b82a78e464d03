"""A run of a DAG in this process: one task at a time, each when its turn has come."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol

from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Outcome
from runs_app.domain.planner import rollup
from runs_app.domain.states import RunState, TaskState
from skytrail.errors import NotFound
from workers.guards.interruption import Reason
from workers.local.clock import Clock
from workers.local.ledger import Ledger, LocalTask
from workers.local.transcript import Transcript
from workers.log import OUR_THREADS

Outputs = Callable[[set[str]], Mapping[str, Any]]


class NoSuchInstance(NotFound):
    """{task_id} has no instance {map_index}: it has been expanded to {length}, counted from 0."""


class Hands(Protocol):
    """Who executes."""

    def execute(self, execution: Execution, transcript: Transcript, outputs: Outputs) -> Outcome:
        """Does what the execution asks for; its outcome, also where it was told to stop."""

    def stop(self, execution: Execution, reason: Reason) -> None:
        """Tells it to stop, if it is still under way. May be called by a signal handler."""


class Observer(Protocol):
    """Who is told what happens, as it does."""

    def moved(self, task: LocalTask) -> None:
        """A task has another state."""


class LocalRun:
    """A run, from its first task to its end."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        hands: Hands,
        clock: Clock,
        observer: Observer,
        given: Callable[[LocalTask], Outcome | None] = lambda _: None,
    ) -> None:
        """`given` has the outcomes of tasks that are not to be executed."""
        self.ledger = ledger
        self._hands = hands
        self._clock = clock
        self._observer = observer
        self._given = given
        self._under_way: Execution | None = None
        self._told_to_end: RunState | None = None
        limit = ledger.spec.run_timeout_seconds
        #: When the run's time is up, by its clock.
        self._ends_by = math.inf if limit is None else limit

    def stop(self, *, ends_as: RunState = RunState.CANCELLED) -> None:
        """Ends the run: what is under way is stopped. May be called by a signal handler."""
        self._told_to_end = ends_as
        self._clock.ring()
        if self._under_way is not None:
            self._hands.stop(self._under_way, Reason.CANCELLED)

    def to_the_end(self) -> RunState:
        """Executes what is ready until nothing is left to do; how the run has ended."""
        ledger = self.ledger
        self._tell(ledger.advance())
        while not ledger.state.is_final:
            if self._told_to_end is None and self._clock.now() >= self._ends_by:
                self._told_to_end = RunState.FAILED
            if self._told_to_end is not None:
                self._tell(ledger.give_up(self._told_to_end))
            elif (task := ledger.next_queued()) is not None:
                self._execute(task)
                if self._told_to_end is None:
                    self._tell(ledger.follow(task))
            elif (task := ledger.next_sleeping()) is not None:
                self._wait_for(task)
            else:
                # It waits for somebody to say that it may go on, who is not here.
                self._tell(ledger.give_up(RunState.FAILED))
        return ledger.state

    def one(self, task_id: str, *, map_index: int | None = None) -> RunState:
        """Executes one task, whatever its trigger rule says, and none of the others.

        Of a mapped task all instances, or the one of this index. Raises `NoSuchInstance`.
        """
        ledger = self.ledger
        position = ledger.graph.position_of[task_id]
        tried = [ledger.tasks[position]]
        self._see_through(tried[0])
        instances = ledger.instances(position)
        if map_index is not None:
            if map_index >= len(instances):
                raise NoSuchInstance(task_id=task_id, map_index=map_index, length=len(instances))
            instances = [instances[map_index]]
        for instance in instances:
            self._see_through(instance)
            tried.append(instance)
        ledger.state = rollup(task.state for task in tried)
        return ledger.state

    def _see_through(self, task: LocalTask) -> None:
        self._observer.moved(self.ledger.queue(task))
        while not task.state.is_final and self._told_to_end is None:
            if task.state is TaskState.QUEUED:
                self._execute(task)
            else:
                self._wait_for(task)

    def _wait_for(self, task: LocalTask) -> None:
        """Waits until a sleeping task is to be taken up again."""
        assert task.wake_at is not None
        self._clock.wait_until(min(task.wake_at, self._ends_by))
        if self._clock.now() >= task.wake_at:
            self._observer.moved(self.ledger.queue(task))

    def _tell(self, moved: Iterable[LocalTask]) -> None:
        for task in moved:
            self._observer.moved(task)

    def _execute(self, task: LocalTask) -> None:
        execution = self.ledger.begin(task, now=self._clock.now())
        self._observer.moved(task)
        outcome = self._given(task)
        if outcome is None:
            self._under_way = execution
            if self._told_to_end is not None:  # a moment ago, when nothing was under way
                self._hands.stop(execution, Reason.CANCELLED)
            with self._run_timeout():
                outcome = self._hands.execute(
                    execution, task.tries[-1].transcript, self.ledger.outputs
                )
            self._under_way = None
        if self._told_to_end is not None and outcome.state is not TaskState.SUCCESS:
            outcome = replace(outcome, state=TaskState.CANCELLED)
        self.ledger.end(task, execution, outcome, now=self._clock.now())
        self._observer.moved(task)

    @contextlib.contextmanager
    def _run_timeout(self) -> Iterator[None]:
        """Within, what is executed is stopped when the run's own time is up."""
        if self._ends_by == math.inf:
            yield
            return
        left = self._ends_by - self._clock.now()
        timer = threading.Timer(left, self.stop, kwargs={"ends_as": RunState.FAILED})
        timer.name = f"{OUR_THREADS}run-timeout"
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
