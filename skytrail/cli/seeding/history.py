"""What happened in a run, told as its rows: task runs, attempts, logs, and who moved what when."""

from __future__ import annotations

import json
from dataclasses import dataclass

from dags_app.domain.commands import TaskType
from dags_app.domain.tasks import TriggerRule
from dags_app.domain.timing.overlap import ONE_AT_A_TIME
from runs_app.domain.clearing import FAILED
from runs_app.domain.planner import rollup
from runs_app.domain.states import FINAL, RunState, TaskState
from runs_app.domain.trigger_rules import Tally, Verdict, judge
from skytrail.cli.seeding import logs, words
from skytrail.cli.seeding.calendar import Planned
from skytrail.cli.seeding.chance import Chance
from skytrail.cli.seeding.copying import NULL, Ledger, line, text
from skytrail.cli.seeding.graphs import Step
from skytrail.cli.seeding.moments import DAY, HOUR, MINUTE, SECOND, moment, stamp

#: The tables that a run has rows in, in the order in which they are written.
COLUMNS = {
    "skytrail_dag_run": (
        "id", "dag_id", "version_id", "run_id", "run_type", "triggered_by", "state",
        "logical_date", "data_interval_start", "data_interval_end", "conf", "queued_at",
        "started_at", "finished_at", "planned_at", "replan_wanted", "degraded",
    ),
    "skytrail_task_run": (
        "id", "run_id", "dag_id", "version_task_id", "task_id", "position", "max_attempts",
        "queue", "pool", "pool_slots", "is_gated", "priority", "lost_count", "map_index",
        "map_values", "map_length", "state", "attempt", "epoch", "chosen", "worker", "queued_at",
        "published_at", "publish_count", "started_at", "finished_at", "dropped_at",
    ),
    "skytrail_attempt": (
        "id", "task_run_id", "epoch", "number", "worker", "state", "reason", "message",
        "exit_code", "started_at", "finished_at",
    ),
    "skytrail_asset_event": (
        "id", "asset", "at", "extra", "task_run_id", "epoch", "dag_id", "run_id", "task_id",
        "map_index", "emitted_by",
    ),
    "skytrail_log_chunk": ("id", "task_run_id", "epoch", "sequence", "text", "written_at"),
    "skytrail_transition": (
        "id", "run_id", "task_run_id", "from_state", "to_state", "epoch", "reason", "actor", "at",
    ),
}  # fmt: skip

#: The dispatcher, as history names it.
_DISPATCHER = "dispatcher@node-1"

#: From a task's end to the next one's queueing or claim, and from queueing to claim.
_HOP = (2_000, 9_000)
_QUEUED = (3_000, 60_000)

T = TaskState


@dataclass(slots=True)
class _Task:
    """A task run as far as it has come."""

    key: str
    step: Step
    map_index: int
    max_attempts: int
    state: TaskState = T.WAITING
    attempt: int = 0
    epoch: int = 0
    worker: str = ""
    chosen: str | None = None
    map_length: int | None = None
    queued_at: int | None = None
    publish_count: int = 0
    started_at: int | None = None
    finished_at: int | None = None
    dropped_at: int | None = None


class Historian:
    """Tells run after run, oldest first, into a ledger."""

    def __init__(self, ledger: Ledger, chance: Chance, *, now: int, logs_of: float) -> None:
        """`logs_of`: which part of the executions that went well has kept its log."""
        self.ledger = ledger
        self.chance = chance
        self.now = now
        self.logs_of = logs_of
        #: Until when the latest run of a DAG took, where its runs come one after the other.
        self.busy_until: dict[str, int] = {}

    def tell(self, planned: Planned) -> None:
        """Notes a run and all that belongs to it, unless it would not be over yet."""
        told = _Told(self, planned)
        if told.ended > self.now - SECOND:
            return
        for table, lines in told.lines.items():
            self.ledger.lines[table].extend(lines)
        planned.ended = told.ended
        if told.is_alone:
            self.busy_until[planned.dag.key] = told.ended


class _Told:
    """One run, from its beginning to its end."""

    def __init__(self, historian: Historian, planned: Planned) -> None:
        self.historian, self.planned, self.dag = historian, planned, planned.dag
        self.chance = historian.chance
        self.lines: dict[str, list[str]] = {table: [] for table in COLUMNS}
        self.version = self.dag.version_at(planned.at)
        spec = self.version.spec
        self.is_alone = spec.overlap_policy in ONE_AT_A_TIME or spec.max_active_runs == 1
        self.key = planned.key
        self.name = self._name()
        self.nature = self.dag.nature
        self.is_broken = (
            self.nature.broken_since is not None and planned.at >= self.nature.broken_since
        )
        self.pace = self._pace()
        self.started = self._start()
        #: After this nothing goes on any more: somebody cancels it.
        self.cut: int | None = None
        self.is_cancelled = False
        if self.chance.happens(self.nature.cancelled):
            self.cut = self.started + self.chance.randrange(SECOND, 2 * MINUTE)
        #: What somebody clears nobody has dropped; where something is broken it would not help.
        self.will_be_cleared = (
            self.chance.happens(self.nature.cleared)
            and not (self.is_broken or self.is_alone)
            and not self.version.graph.is_mapped
        )
        #: By position: the task, and the instances of a mapped one.
        self.tasks: list[list[_Task]] = []
        self.state = RunState.RUNNING
        self.ended = self.started
        self._all()

    def _name(self) -> str:
        """Its run_id, as `launching.run_id_for` has it."""
        planned = self.planned
        of = planned.at if planned.logical is None else planned.logical
        name = f"{planned.run_type.value}__{moment(of).isoformat()}"
        suffix = f"_{self.chance.getrandbits(32):08x}" if planned.logical is None else ""
        return name + suffix

    def _pace(self) -> float:
        """By what all durations of this run are multiplied."""
        pace = self.chance.lognormvariate(0.0, 0.2)
        if self.nature.growth:
            lifetime = max(1, self.historian.now - self.dag.born)
            pace *= 1 + self.nature.growth * (self.planned.at - self.dag.born) / lifetime
        return pace

    def _start(self) -> int:
        at, by = self.planned.at, self.planned.by
        free = self.historian.busy_until.get(self.dag.key, 0) if self.is_alone else 0
        if free <= at:
            self._run_moves("", "running", "created", by, at)
            return at
        self._run_moves("", "queued", "created", by, at)
        at = free + self.chance.randrange(*_HOP)
        self._run_moves("queued", "running", "a run of this DAG ended", _DISPATCHER, at)
        return at

    def _all(self) -> None:
        """Every task in its turn, the run's end, and what somebody makes of a failure."""
        self._go_through(self.started)
        ended = self._end(self._last())
        if self.will_be_cleared and self.state is RunState.FAILED:
            cleared = ended + self.chance.randrange(2 * MINUTE, 2 * HOUR)
            if cleared < self.historian.now - HOUR:
                self._clear(cleared)
                self._go_through(cleared)
                self._end(self._last())
        for tasks in self.tasks:
            for task in tasks:
                self._keep(task)
        self._keep_run()

    def _go_through(self, begin: int) -> None:
        """Every task that waits, or is not there yet, in topological order."""
        for step in self.version.steps:
            position, upstream = step.node.position, step.node.upstream
            ready = max([begin, *(self._end_of(before) for before in upstream)])
            ready += self.chance.randrange(*_HOP)
            if position == len(self.tasks):
                self.tasks.append([_Task(self.chance.key(ready), step, -1, step.retries + 1)])
            task = self.tasks[position][0]
            if task.state is not T.WAITING:
                continue
            verdict = self._verdict(step)
            if self.cut is not None and ready >= self.cut:
                self._cancel_waiting(task)
            elif verdict is not Verdict.RUN:
                self._settle(task, verdict, ready)
            else:
                self._execute(task, ready)
                self.tasks[position] += self._instances(task)

    def _counted(self, position: int) -> list[TaskState]:
        """What a trigger rule counts of a task: it, or its instances."""
        tasks = self.tasks[position]
        return [task.state for task in tasks[1:] or tasks]

    def _end_of(self, position: int) -> int:
        return max(task.finished_at or 0 for task in self.tasks[position])

    def _last(self) -> int:
        return max(self._end_of(step.node.position) for step in self.version.steps)

    def _clear(self, at: int) -> None:
        """Somebody has what failed, and what was not begun because of it, run again."""
        by = f"user:{self.dag.spec.owner}"
        for (task,) in self.tasks:
            if task.state in FAILED:
                task.epoch += 1
                task.max_attempts = task.attempt + 1 + task.step.retries
                self._move(task, T.WAITING, "cleared", by, at)
                task.finished_at = task.chosen = None
        self._run_moves("failed", "running", "tasks cleared", by, at)
        self.started = at
        self.cut = None

    def _verdict(self, step: Step) -> Verdict:
        rule, upstream = step.node.trigger_rule, step.node.upstream
        states = [state for before in upstream for state in self._counted(before)]
        verdict = Verdict.RUN
        if rule is not TriggerRule.ALL_SUCCESS or any(state is not T.SUCCESS for state in states):
            verdict = judge(rule, Tally.of(states))
        if verdict is Verdict.RUN and len(upstream) == 1:
            decision = self.tasks[upstream[0]][0].chosen
            if decision is not None and decision != step.node.task_id:
                return Verdict.SKIP
        return verdict

    def _instances(self, expansion: _Task) -> list[_Task]:
        step = expansion.step
        if expansion.finished_at is None or not step.node.is_mapped:
            return []
        if expansion.state is not T.SUCCESS:
            return []
        expansion.map_length = len(step.values)
        found = []
        for index in range(len(step.values)):
            ready = expansion.finished_at + self.chance.randrange(*_HOP)
            task = _Task(self.chance.key(ready), step, index, step.retries + 1)
            if self.cut is not None and ready >= self.cut:
                self._cancel_waiting(task)
            else:
                self._execute(task, ready)
            found.append(task)
        return found

    def _settle(self, task: _Task, verdict: Verdict, at: int) -> None:
        state = T.SKIPPED if verdict is Verdict.SKIP else T.UPSTREAM_FAILED
        self._move(task, state, "trigger rule", _DISPATCHER, at)

    def _cancel_waiting(self, task: _Task) -> None:
        """Cancelled before a worker had it."""
        assert self.cut is not None
        self.is_cancelled = True
        task.epoch += 1
        self._move(task, T.CANCELLED, "run cancelled", f"user:{self.dag.spec.owner}", self.cut)

    # ------------------------------------------------------------ executions

    def _execute(self, task: _Task, ready: int) -> None:
        """Its tries, up to the one that decides."""
        step, at = task.step, ready
        is_expansion = step.node.is_mapped and task.map_index < 0
        while True:
            if step.rides and task.attempt == 0:
                task.epoch, task.attempt, claimed = 1, 1, at
            else:
                claimed = self._queue(task, at)
            if self.cut is not None and claimed >= self.cut:
                self._cancel_waiting(task)
                return
            task.worker = self.chance.choice(words.WORKERS)
            task.started_at = claimed
            self._move(task, T.RUNNING, "claimed", task.worker, claimed)
            claimed = self._poke(task, claimed)
            median = 0.02 if is_expansion else step.median
            took = median * self.pace * self.chance.lognormvariate(0.0, 0.3)
            end = claimed + max(4_000, int(took * SECOND))
            if self.cut is not None and end > self.cut:
                self._cut_off(task)
                return
            failed = not is_expansion and self._fails(task)
            if not failed:
                self._succeed(task, end)
                return
            self._fail(task, end, is_last=task.attempt >= task.max_attempts)
            if task.state is T.FAILED:
                return
            at = end + int(step.retry_delay * SECOND) + self.chance.randrange(SECOND)
            if self.cut is not None and at >= self.cut:
                self._cancel_waiting(task)
                return

    def _poke(self, task: _Task, claimed: int) -> int:
        """Of a task that waits for something: looks in vain a few times; its last claim."""
        if not task.step.pokes or self.cut is not None:
            return claimed
        for _ in range(self.chance.randrange(task.step.pokes)):
            end = claimed + self.chance.randrange(5_000, 50_000)
            self._move(task, T.UP_FOR_RESCHEDULE, "poked", task.worker, end)
            self._attempt(task, T.UP_FOR_RESCHEDULE, "poked", "it is not there yet", None, end)
            at = end + MINUTE + self.chance.randrange(SECOND)
            task.epoch += 1
            self._move(task, T.QUEUED, "time to look again", "schedule", at)
            claimed = at + self.chance.randrange(*_QUEUED)
            task.worker = self.chance.choice(words.WORKERS)
            task.queued_at, task.started_at = at, claimed
            self._move(task, T.RUNNING, "claimed", task.worker, claimed)
        return claimed

    def _queue(self, task: _Task, at: int) -> int:
        """Has it sent; when a worker takes it."""
        task.epoch += 1
        if task.state is T.UP_FOR_RETRY:
            if task.step.node.is_gated:
                self._move(task, T.WAITING, "time to try again", "schedule", at)
                task.epoch += 1
                at += self.chance.randrange(*_HOP)
                self._move(task, T.QUEUED, "a slot is free", _DISPATCHER, at)
            else:
                self._move(task, T.QUEUED, "time to try again", "schedule", at)
        else:
            is_admitted = task.step.node.is_gated and not (
                task.step.node.is_mapped and task.map_index < 0
            )
            reason = "a slot is free" if is_admitted else "ready"
            self._move(task, T.QUEUED, reason, _DISPATCHER, at)
        task.attempt += 1
        task.queued_at = at
        task.publish_count = 1
        wait = self.chance.randrange(*_QUEUED)
        if task.step.pool is not None and self.chance.happens(0.3):
            wait += self.chance.randrange(5 * SECOND)
        return at + wait

    def _fails(self, task: _Task) -> bool:
        node = task.step.node
        if self.is_broken and node.position == self.nature.broken_at % len(self.version.steps):
            return True
        return task.step.type is not TaskType.EMPTY and self.chance.happens(self.nature.failing)

    def _succeed(self, task: _Task, end: int) -> None:
        step, state, reason, message = task.step, T.SUCCESS, "finished", ""
        if step.choices:
            task.chosen = self.chance.choice(step.choices)
        elif step.type is TaskType.BASH and self.chance.happens(self.nature.skipping):
            state, reason = T.SKIPPED, "skipped"
            message = "the command ended with exit code 99"
        self._move(task, state, reason, task.worker, end)
        code = 99 if state is T.SKIPPED else 0 if step.type is TaskType.BASH else None
        self._attempt(task, state, reason, message, code, end)
        is_expansion = step.node.is_mapped and task.map_index < 0
        if state is T.SUCCESS and not is_expansion:
            self._make_new(task, end)
        if self.chance.happens(self.historian.logs_of):
            self._log(task, logs.of_success(self.chance, task.step.node.task_id), end)

    def _fail(self, task: _Task, end: int, *, is_last: bool) -> None:
        reason, message, code, last_line = self.chance.choice(words.FAILURES)
        self._move(task, T.FAILED if is_last else T.UP_FOR_RETRY, reason, task.worker, end)
        self._attempt(task, T.FAILED, reason, message, code, end)
        name = task.step.node.task_id
        self._log(task, logs.of_failure(self.chance, name, last_line), end)
        age = self.historian.now - end
        if is_last and age > 2 * DAY and not self.will_be_cleared and self.chance.happens(0.9):
            at = end + self.chance.randrange(age // 2)
            task.dropped_at = at
            by = f"user:{self.dag.spec.owner}"
            self._note(task, T.FAILED, "dead letter dropped", by, at)

    def _cut_off(self, task: _Task) -> None:
        """Cancelled while it ran."""
        assert self.cut is not None
        self.is_cancelled = True
        self._move(task, T.CANCELLING, "run cancelled", f"user:{self.dag.spec.owner}", self.cut)
        end = self.cut + self.chance.randrange(5_000, SECOND)
        self._move(task, T.CANCELLED, "cancelled", task.worker, end)
        self._attempt(task, T.CANCELLED, "cancelled", "it was cancelled", None, end)

    # ------------------------------------------------------------ rows

    def _move(self, task: _Task, to: TaskState, reason: str, actor: str, at: int) -> None:
        self._note(task, to, reason, actor, at)
        task.state = to
        if to in FINAL:
            task.finished_at = at

    def _note(self, task: _Task, to: TaskState, reason: str, actor: str, at: int) -> None:
        self.lines["skytrail_transition"].append(
            f"{self.chance.key(at)}\t{self.key}\t{task.key}\t{task.state.value}\t{to.value}\t"
            f"{task.epoch}\t{reason}\t{actor}\t{stamp(at)}\n"
        )

    def _run_moves(self, before: str, to: str, reason: str, actor: str, at: int) -> None:
        self.lines["skytrail_transition"].append(
            line(self.chance.key(at), self.key, None, before, to, 0, reason, actor, stamp(at))
        )

    def _attempt(
        self,
        task: _Task,
        state: TaskState,
        reason: str,
        message: str,
        code: int | None,
        end: int,
    ) -> None:
        assert task.started_at is not None
        self.lines["skytrail_attempt"].append(
            f"{self.chance.key(task.started_at)}\t{task.key}\t{task.epoch}\t{task.attempt}\t"
            f"{task.worker}\t{state.value}\t{reason}\t{text(message)}\t"
            f"{NULL if code is None else code}\t{stamp(task.started_at)}\t{stamp(end)}\n"
        )

    def _make_new(self, task: _Task, at: int) -> None:
        """The assets that it names."""
        for asset in task.step.outlets:
            place = (self.version.spec.name, self.name, task.step.node.task_id, task.map_index)
            self.lines["skytrail_asset_event"].append(
                line(
                    *(self.chance.key(at), text(asset), stamp(at), "{}", task.key, task.epoch),
                    *place,
                    "task",
                )
            )

    def _log(self, task: _Task, said: str, end: int) -> None:
        self.lines["skytrail_log_chunk"].append(
            line(self.chance.key(end), task.key, task.epoch, 0, text(said), stamp(end))
        )

    def _keep(self, task: _Task) -> None:
        step = task.step
        is_instance = task.map_index >= 0
        is_gated = step.node.is_gated and (is_instance or not step.node.is_mapped)
        self.lines["skytrail_task_run"].append(
            line(
                task.key,
                self.key,
                self.dag.key,
                step.key,
                text(step.node.task_id),
                step.node.position,
                task.max_attempts,
                step.queue,
                step.pool,
                step.pool_slots,
                is_gated,
                step.priority,
                0,
                task.map_index,
                text(step.values[task.map_index]) if is_instance else None,
                task.map_length,
                task.state.value,
                task.attempt,
                task.epoch,
                None if task.chosen is None else f"{{{task.chosen}}}",
                task.worker,
                *_stamps(task.queued_at, task.queued_at),
                task.publish_count,
                *_stamps(task.started_at, task.finished_at, task.dropped_at),
            )
        )

    def _end(self, last: int) -> int:
        """The end of the run, a moment after the end of its last task."""
        at, before = last + self.chance.randrange(*_HOP), "running"
        leaves = self.version.graph.leaves
        self.state = rollup(state for leaf in leaves for state in self._counted(leaf))
        if self.cut is not None and self.is_cancelled:
            by = f"user:{self.dag.spec.owner}"
            self._run_moves("running", "cancelling", "run cancelled", by, self.cut)
            before, self.state = "cancelling", RunState.CANCELLED
        self._run_moves(before, self.state.value, "all tasks ended", _DISPATCHER, at)
        self.ended = at
        return at

    def _keep_run(self) -> None:
        planned = self.planned
        defaults = {name: each.get("default") for name, each in self.version.spec.params.items()}
        self.lines["skytrail_dag_run"].append(
            line(
                self.key,
                self.dag.key,
                self.version.key,
                self.name,
                planned.run_type.value,
                planned.by,
                self.state.value,
                *_stamps(planned.logical, planned.interval_start, planned.logical),
                text(json.dumps(defaults)),
                *_stamps(planned.at, self.started, self.ended, self.ended),
                "f",
                "f",
            )
        )


def _stamps(*moments: int | None) -> list[str | None]:
    return [None if at is None else stamp(at) for at in moments]
