"""What the database should hold, kept in plain Python beside it.

Each method is one action, in the words of the documents: who may move, and where to. Only what to
make of a graph is asked of the planner, which has tests of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from runs_app.domain import planner
from runs_app.domain.claims import Refusal
from runs_app.domain.graph import Graph
from runs_app.domain.states import RunState as R
from runs_app.domain.states import TaskState as T

ROOM_FOR_LOSSES = 2

_SLEEPING = {T.UP_FOR_RETRY, T.UP_FOR_RESCHEDULE, T.DEFERRED}


@dataclass
class Task:
    """A task run."""

    pk: UUID
    position: int
    task_id: str
    rule: str
    is_gated: bool
    is_branch: bool
    is_short_circuit: bool
    retries: int
    pool: str | None
    priority: int
    reruns_when_lost: bool
    queued_timeout: bool
    max_attempts: int
    state: T = T.WAITING
    epoch: int = 0
    attempt: int = 0
    lost: int = 0
    in_line: bool = False
    chosen: frozenset[int] | None = None
    lease_is_over: bool = False
    is_dropped: bool = False

    def queue(self, *, same_try: bool = False) -> None:
        self.state = T.QUEUED
        self.epoch += 1
        self.attempt += not same_try

    def told(self) -> tuple[Any, ...]:
        """What is compared with the row."""
        in_line = self.in_line if self.state is T.WAITING and self.is_gated else None
        return (
            str(self.state),
            self.epoch,
            self.attempt,
            self.max_attempts,
            self.lost,
            in_line,
            self.is_dropped,
        )


@dataclass
class Run:
    """A run."""

    pk: UUID
    dag: str
    max_active_runs: int
    max_active_tasks: int | None
    graph: Graph
    state: R
    tasks: list[Task] = field(default_factory=list)
    timed_out: bool = False

    def planned(self) -> planner.Plan:
        standings = {
            task.position: planner.Standing(task.state, task.chosen) for task in self.tasks
        }
        return planner.plan(self.graph, standings)


class Mirror:
    """All runs, in the order in which they were asked for."""

    def __init__(self, pools: Mapping[str, int]) -> None:
        self.runs: dict[UUID, Run] = {}
        self.pools = dict(pools)

    # ------------------------------------------------------------ looking

    def tasks(self) -> Iterable[tuple[Run, Task]]:
        return ((run, task) for run in self.runs.values() for task in run.tasks)

    def find(self, task_run: UUID) -> tuple[Run, Task]:
        return next((run, task) for run, task in self.tasks() if task.pk == task_run)

    def under_way(self) -> list[Run]:
        return [run for run in self.runs.values() if run.state in {R.RUNNING, R.CANCELLING}]

    def active(self, dag: str) -> int:
        return sum(run.dag == dag for run in self.under_way())

    # ------------------------------------------------------------ runs

    def launched(self, run: Run) -> None:
        others_wait = any(
            one.dag == run.dag and one.state is R.QUEUED for one in self.runs.values()
        )
        has_room = self.active(run.dag) < run.max_active_runs
        run.state = R.RUNNING if has_room and not others_wait else R.QUEUED
        self.runs[run.pk] = run
        for task in run.tasks:
            if run.state is R.RUNNING and not task.is_gated and self._is_root(run, task):
                task.queue()

    def _is_root(self, run: Run, task: Task) -> bool:
        return not run.graph.nodes[task.position].upstream

    def dispatched(self, run_pk: UUID, line: Mapping[UUID, Any]) -> None:
        run = self.runs[run_pk]
        if run.state not in {R.RUNNING, R.CANCELLING}:
            return
        plan = run.planned()
        for position in plan.skipped:
            run.tasks[position].state = T.SKIPPED
        for position in plan.upstream_failed:
            run.tasks[position].state = T.UPSTREAM_FAILED
        if plan.ends:
            run.state = (
                R.FAILED
                if run.timed_out
                else R.CANCELLED
                if run.state is R.CANCELLING
                else plan.ends
            )
        elif run.state is R.RUNNING:
            for position in plan.stopped:
                self.task_cancelled(run.tasks[position])
            for position in plan.ready:
                task = run.tasks[position]
                if task.is_gated:
                    task.in_line = True
                else:
                    task.queue()
        if run.graph.is_gated:
            self.admitted(line)
        if plan.ends:
            self.promoted(run.dag)

    def promoted(self, dag: str) -> None:
        for run in self.runs.values():
            if run.dag == dag and run.state is R.QUEUED:
                if self.active(dag) >= run.max_active_runs:
                    return
                run.state = R.RUNNING

    def run_cancelled(self, run: Run) -> bool:
        if run.state not in {R.QUEUED, R.RUNNING}:
            return False
        self._stop_all(run)
        is_over = all(task.state.is_final for task in run.tasks)
        run.state = R.CANCELLED if is_over else R.CANCELLING
        if is_over:
            self.promoted(run.dag)
        return True

    def run_timed_out(self, run: Run) -> None:
        if run.state is not R.RUNNING or all(task.state.is_final for task in run.tasks):
            return
        run.state, run.timed_out = R.CANCELLING, True
        self._stop_all(run)

    def _stop_all(self, run: Run) -> None:
        for task in run.tasks:
            self.task_cancelled(task)

    def cleared(self, run: Run, positions: Iterable[int]) -> bool:
        """`positions` as they were selected; false while the run is being cancelled."""
        if run.state is R.CANCELLING:
            return False
        tasks = [run.tasks[position] for position in sorted(positions)]
        if all(task.state is T.WAITING for task in tasks):
            return True
        for task in tasks:
            # Whatever hangs on it stands in line no longer: it has to be found ready once more.
            for position in run.graph.downstream[task.position]:
                run.tasks[position].in_line = False
            if task.state is T.RESTARTING:
                continue
            if task.state in {T.RUNNING, T.CANCELLING}:
                task.state = T.RESTARTING
            else:
                task.state = T.WAITING
                task.epoch += 1
            task.max_attempts = task.attempt + 1 + task.retries
            task.lost, task.chosen = 0, None
            task.in_line = task.is_dropped = False
        if run.state.is_final:
            has_room = self.active(run.dag) < run.max_active_runs
            run.state = R.RUNNING if has_room else R.QUEUED
            run.timed_out = False
        return True

    # ------------------------------------------------------------ task runs

    def claimed(self, task_run: UUID, epoch: int) -> Refusal | None:
        """None where the claim is granted."""
        run, task = self.find(task_run)
        upstream = [run.tasks[position] for position in run.graph.nodes[task.position].upstream]
        is_queued = task.state is T.QUEUED and task.epoch == epoch
        may_ride = (
            task.state is T.WAITING
            and task.epoch == epoch - 1
            and not task.is_gated
            and task.rule == "all_success"
            and all(one.state is T.SUCCESS for one in upstream)
        )
        if run.state is R.RUNNING and (is_queued or may_ride):
            task.attempt += may_ride
            task.state, task.epoch = T.RUNNING, epoch
            task.in_line = task.lease_is_over = False
            task.chosen = None
            return None
        if task.epoch > epoch or (task.epoch == epoch and self._is_leased(task)):
            return Refusal.ELSEWHERE
        if task.epoch == epoch and task.state not in {T.QUEUED, T.WAITING}:
            return Refusal.ENDED
        return Refusal.NOT_NOW

    def _is_leased(self, task: Task) -> bool:
        return task.state in {T.RUNNING, T.CANCELLING, T.RESTARTING}

    def is_held(self, task_run: UUID, epoch: int) -> bool:
        """Whether this execution is the one that the task run stands for."""
        _, task = self.find(task_run)
        return task.epoch == epoch and self._is_leased(task)

    def finished(
        self,
        task_run: UUID,
        epoch: int,
        ended: T,
        *,
        may_retry: bool,
        chosen: frozenset[int] | None,
    ) -> T | None:
        """Where the task run goes; None where the execution was no longer believed in."""
        if not self.is_held(task_run, epoch):
            return None
        _, task = self.find(task_run)
        task.chosen = None
        if task.state is T.RESTARTING:
            task.state = T.WAITING
            task.epoch += 1
        elif ended is T.SUCCESS:
            task.state, task.chosen = T.SUCCESS, chosen
        elif task.state is T.CANCELLING:
            task.state = T.CANCELLED
        elif ended is T.FAILED and may_retry and task.attempt < task.max_attempts:
            task.state = T.UP_FOR_RETRY
        else:
            task.state = ended
        return task.state

    def handed_back(self, task_run: UUID, epoch: int) -> bool:
        if not self.is_held(task_run, epoch):
            return False
        self._leave_lease(self.find(task_run)[1], otherwise=T.QUEUED)
        return True

    def lost(self, task: Task) -> None:
        """Nobody executes it any more."""
        may_rerun = task.reruns_when_lost and task.lost < ROOM_FOR_LOSSES
        task.lost += task.state is T.RUNNING
        self._leave_lease(task, otherwise=T.QUEUED if may_rerun else T.FAILED)

    def _leave_lease(self, task: Task, *, otherwise: T) -> None:
        left = {T.CANCELLING: T.CANCELLED, T.RESTARTING: T.WAITING}
        task.state = left.get(task.state, otherwise)
        task.epoch += 1

    def task_cancelled(self, task: Task) -> bool:
        if task.state.is_final or task.state is T.CANCELLING:
            return False
        if task.state in {T.RUNNING, T.RESTARTING}:
            task.state = T.CANCELLING
        else:
            task.state = T.CANCELLED
            task.epoch += 1
        task.in_line = False
        return True

    def given_up(self, task: Task) -> None:
        """It was queued for too long."""
        retried = task.attempt < task.max_attempts
        task.state = T.UP_FOR_RETRY if retried else T.FAILED

    def woken(self, line: Mapping[UUID, Any]) -> None:
        """All that sleep, their time having come."""
        stands_in_line = False
        for run, task in self.tasks():
            if run.state is not R.RUNNING or task.state not in _SLEEPING:
                continue
            same_try = task.state is not T.UP_FOR_RETRY
            if task.is_gated:
                task.state, task.in_line = T.WAITING, True
                task.epoch += 1
                task.attempt -= same_try  # admission counts it again
                stands_in_line = True
            else:
                task.queue(same_try=same_try)
        if stands_in_line:
            self.admitted(line)

    def admitted(self, line: Mapping[UUID, Any]) -> None:
        """Gives out what is free; `line` says since when each stands there."""
        waiting = [
            (run, task)
            for run, task in self.tasks()
            if run.state is R.RUNNING and task.state is T.WAITING and task.in_line
        ]
        waiting.sort(key=lambda pair: (-pair[1].priority, line[pair[1].pk], pair[1].pk))
        for run, task in waiting:
            pool_has_room = task.pool is None or self._held(pool=task.pool) < self.pools[task.pool]
            limit = run.max_active_tasks
            dag_has_room = limit is None or self._held(dag=run.dag) < limit
            if pool_has_room and dag_has_room:
                task.queue()

    def _held(self, *, pool: str | None = None, dag: str | None = None) -> int:
        return sum(
            (task.pool == pool if pool else run.dag == dag)
            and (task.state is T.QUEUED or self._is_leased(task))
            for run, task in self.tasks()
            if task.is_gated
        )
