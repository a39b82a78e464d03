"""What came of it: Skytrail's rows held against the witness's, and both against the faults.

lost            a run that was triggered and is not there, has not ended, or has not succeeded; a
                task that counts as done although the witness saw no end of it
repeated        executions that began again what another had begun, whose loss is in the history:
                the contract, at least once
beyond          what the contract does not allow: two executions in one epoch, a second one without
                a reason in the history
false alarm     an execution taken over although nobody had harmed its worker
zombie          an execution that ended after another had taken over; it is to be refused
overlap         for how long the two were at work at once
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, LiteralString, TypeVar
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from chaos.load import Triggered
from chaos.stage import Fault, Stage
from chaos.witness import Effect

#: Reasons of attempts that the infrastructure ended, and of those that were given back in time.
LOST = {"worker_lost"}
HANDED_BACK = {"worker_stopped"}

#: Types of tasks that the witness hears nothing of.
_SILENT = {"empty"}

#: Seconds by which the suite's clock may be off when it notes a fault beside the moment of it.
_SLACK = 0.5

#: States in which something will happen to a task without anybody planning its run.
_MOVING = {
    "queued", "running", "cancelling", "restarting", "up_for_retry", "up_for_reschedule", "deferred"
}  # fmt: skip

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Run:
    """A run as Skytrail has it."""

    id: UUID
    dag: str
    run_id: str
    run_type: str
    state: str
    started_at: datetime | None
    finished_at: datetime | None
    logical_date: datetime | None
    degraded: bool


@dataclass(frozen=True, slots=True)
class Task:
    """A task run."""

    id: UUID
    run_id: UUID
    task_id: str
    state: str
    epoch: int
    lost_count: int
    publish_count: int
    kind: str = "bash"


@dataclass(frozen=True, slots=True)
class Attempt:
    """An execution; times in seconds since 1970."""

    task_run_id: UUID
    epoch: int
    worker: str
    state: str
    reason: str
    started: float
    finished: float | None

    @property
    def label(self) -> str:
        """The worker's, without its host."""
        return self.worker.partition("@")[0]


#: The kind of fault that takes a message along which nobody has claimed.
TAKES_A_MESSAGE = "died before-claim"


@dataclass(frozen=True, slots=True)
class Moved:
    """A line of history."""

    run_id: UUID
    task_run_id: UUID | None
    from_state: str
    to_state: str
    epoch: int
    reason: str
    actor: str
    at: float

    def told(self) -> str:
        """In words."""
        who = "run" if self.task_run_id is None else str(self.task_run_id)[-6:]
        move = f"{who} {self.from_state} → {self.to_state} epoch {self.epoch}"
        return f"{move}: {self.reason}, {self.actor}"


_RUNS: LiteralString = """
SELECT r.id, d.dag_id AS dag, r.run_id, r.run_type, r.state, r.started_at, r.finished_at,
  r.logical_date, r.degraded
FROM skytrail_dag_run r JOIN skytrail_dag d ON d.id = r.dag_id ORDER BY r.id
"""
_TASKS: LiteralString = """
SELECT t.id, t.run_id, t.task_id, t.state, t.epoch, t.lost_count, t.publish_count, v.type AS kind
FROM skytrail_task_run t JOIN skytrail_version_task v ON v.id = t.version_task_id
"""
_ATTEMPTS: LiteralString = """
SELECT task_run_id, epoch, worker, state, reason, extract(epoch FROM started_at)::float8 AS started,
  extract(epoch FROM finished_at)::float8 AS finished
FROM skytrail_attempt ORDER BY task_run_id, epoch
"""
_HISTORY: LiteralString = """
SELECT run_id, task_run_id, from_state, to_state, epoch, reason, actor,
  extract(epoch FROM at)::float8 AS at
FROM skytrail_transition ORDER BY at, id
"""


@dataclass(frozen=True)
class Spread:
    """A set of times, in seconds."""

    count: int
    p50: float
    p95: float
    longest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread | None:
        """None where there are none."""
        if not values:
            return None
        ordered = sorted(values)

        def quantile(part: float) -> float:
            return ordered[min(len(ordered) - 1, math.ceil(part * len(ordered)) - 1)]

        return cls(len(ordered), quantile(0.5), quantile(0.95), ordered[-1])


@dataclass(frozen=True, slots=True, order=True)
class Pause:
    """A time, in seconds, in which nothing happened to a task run or a run."""

    seconds: float
    since: float
    of: UUID


@dataclass
class Findings:
    """All that was found about one case."""

    runs: list[Run]
    tasks: list[Task]
    attempts: list[Attempt]
    history: list[Moved]
    effects: list[Effect]
    faults: list[Fault]
    lost: list[str] = field(default_factory=list)
    beyond: list[str] = field(default_factory=list)
    false_alarms: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    #: Executions that began again after a loss, and after they were handed back.
    repeated: int = 0
    handed_over: int = 0
    #: Of the repeated: those whose predecessor had already told the witness its end.
    repeated_after_end: int = 0
    zombies: int = 0
    zombies_refused: int = 0
    overlaps: list[float] = field(default_factory=list)
    #: From a fault to the move of its tasks, and to their next start, by the kind of fault.
    noticed: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    recovered: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    #: The latter where the message of the next execution was lost with a worker too: the wait for a
    #: lost message comes on top.
    hit_again: list[float] = field(default_factory=list)
    #: From a clean stop's hand-over to the next start.
    handed_over_in: list[float] = field(default_factory=list)
    #: From `queued` to the claim, and how long runs stood still with nothing on its way.
    waits: list[float] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)
    #: Between one start and the next, of whatever task, from the first fault to the last.
    gaps: list[float] = field(default_factory=list)

    def stories(self, *, longer_than: float, at_most: int = 3) -> list[str]:
        """What happened to tasks that were queued for longest, and to runs that stood still.

        For whoever has to find out why.
        """
        waits = sorted(_waits(self.history), reverse=True)
        idle = sorted(_idle(self.history), reverse=True)
        return [
            f"task {pause.of} was queued for {pause.seconds:.1f} s:\n{self._story(pause)}"
            for pause in waits[:at_most]
            if pause.seconds > longer_than
        ] + [
            f"run {pause.of} stood still for {pause.seconds:.1f} s:\n{self._story(pause)}"
            for pause in idle[:at_most]
            if pause.seconds > min(longer_than, 3)
        ]

    def _story(self, pause: Pause) -> str:
        """All that happened around it, by the seconds since the first fault."""
        zero = min((fault.at for fault in self.faults), default=self.history[0].at)
        since, until = pause.since - 3, pause.since + pause.seconds + 1
        lines = [
            (
                moved.at,
                moved.told(),
            )
            for moved in self.history
            if pause.of in {moved.task_run_id, moved.run_id}
        ]
        lines += [
            (effect.at.timestamp(), f"witness: {effect.phase} epoch {effect.epoch} in {effect.pid}")
            for effect in self.effects
            if effect.task_run == pause.of
        ]
        lines += [(fault.at, f"FAULT {fault.kind} {fault.target}") for fault in self.faults]
        told = sorted(line for line in lines if since <= line[0] <= until)
        return "\n".join(f"      {at - zero:+8.2f} s  {what}" for at, what in told)

    @property
    def everything_recovered(self) -> list[float]:
        """The recoveries of all kinds of faults."""
        return [seconds for times in self.recovered.values() for seconds in times]

    def figures(self) -> dict[str, Any]:
        """For JSON."""

        def spread(values: Sequence[float]) -> dict[str, float] | None:
            found = Spread.of(values)
            return None if found is None else {k: round(v, 3) for k, v in vars(found).items()}

        return {
            "runs": len(self.runs),
            "run_states": dict(Counter(run.state for run in self.runs)),
            "tasks": len(self.tasks),
            "executions": len(self.attempts),
            "effects": len(self.effects),
            "faults": dict(Counter(fault.kind for fault in self.faults)),
            "lost": self.lost,
            "repeated": self.repeated,
            "repeated_after_end": self.repeated_after_end,
            "handed_over": self.handed_over,
            "beyond": self.beyond,
            "false_alarms": self.false_alarms,
            "zombies": self.zombies,
            "zombies_refused": self.zombies_refused,
            "overlap": spread(self.overlaps),
            "noticed": {kind: spread(times) for kind, times in self.noticed.items()},
            "recovered": {kind: spread(times) for kind, times in self.recovered.items()},
            "handed_over_in": spread(self.handed_over_in),
            "queued_for": spread(self.waits),
            "run_idle_for": spread(self.idle),
            "broken": self.broken,
        }


def read(stage: Stage) -> Findings:
    """Reads everything and judges it. Call it when the case has settled, or failed to."""
    with psycopg.connect(stage.database_url, autocommit=True) as connection:

        def rows(query: LiteralString, row: type[T]) -> list[T]:
            return connection.cursor(row_factory=class_row(row)).execute(query).fetchall()

        found = Findings(
            runs=rows(_RUNS, Run),
            tasks=rows(_TASKS, Task),
            attempts=rows(_ATTEMPTS, Attempt),
            history=rows(_HISTORY, Moved),
            effects=stage.grounds.witness.effects(),
            faults=list(stage.faults),
        )
    found.broken = stage.fsck()
    return judge(found, triggered=stage.load.triggered, interferes=stage.case.interferes)


def judge(found: Findings, *, triggered: Sequence[Triggered], interferes: bool) -> Findings:
    """Fills in what follows from the rows. `interferes`: people cancelled and cleared meanwhile."""
    _look_for_losses(found, triggered, interferes=interferes)
    _Executions(found).judge()
    found.waits = [pause.seconds for pause in _waits(found.history)]
    found.idle = [pause.seconds for pause in _idle(found.history)]
    found.gaps = _gaps(found)
    return found


def _look_for_losses(found: Findings, triggered: Sequence[Triggered], *, interferes: bool) -> None:
    there = {(run.dag, run.run_id): run for run in found.runs}
    for one in triggered:
        if (one.dag, one.run_id) not in there:
            found.lost.append(f"run {one.dag}/{one.run_id} was triggered and is not there")
    for run in found.runs:
        if run.finished_at is None:
            found.lost.append(f"run {run.dag}/{run.run_id} has not ended: {run.state}")
        elif run.state != "success" and not interferes:
            found.lost.append(f"run {run.dag}/{run.run_id} ended as {run.state}")
    ended = {(effect.task_run, effect.epoch) for effect in found.effects if effect.phase == "end"}
    tells = {effect.task_run for effect in found.effects}
    for task in found.tasks:
        if task.kind in _SILENT:
            continue
        if task.state == "success" and (task.id, task.epoch) not in ended:
            about = "saw another epoch" if task.id in tells else "saw nothing"
            found.lost.append(f"task {task.id} succeeded and the witness {about}")


class _Executions:
    """Looks at the executions of each task run, one after the other."""

    def __init__(self, found: Findings) -> None:
        self.found = found
        self.attempts = {(one.task_run_id, one.epoch): one for one in found.attempts}
        self.final = {task.id: task for task in found.tasks}
        self.effects: dict[UUID, dict[int, dict[str, list[Effect]]]] = defaultdict(
            lambda: defaultdict(lambda: defaultdict(list))
        )
        for effect in found.effects:
            self.effects[effect.task_run][effect.epoch][effect.phase].append(effect)
        self.cleared = {moved.task_run_id for moved in found.history if moved.reason == "cleared"}
        self.taken: Counter[Fault] = Counter()

    def judge(self) -> None:
        for task_run, epochs in self.effects.items():
            if task_run not in self.final:
                self.found.beyond.append(f"task {task_run} is unknown to Skytrail")
                continue
            for epoch, phases in sorted(epochs.items()):
                self._one(task_run, epoch, phases)
            for before, after in itertools.pairwise(sorted(epochs)):
                self._two(task_run, before, after)
        for attempt in self.found.attempts:
            if attempt.reason in LOST:
                self._loss(attempt)

    def _one(self, task_run: UUID, epoch: int, phases: dict[str, list[Effect]]) -> None:
        """Nothing happens twice within an epoch, or without a claim."""
        if (task_run, epoch) not in self.attempts:
            self.found.beyond.append(f"{task_run} epoch {epoch}: executed and never claimed")
        for phase, effects in phases.items():
            if len(effects) > 1:
                self.found.beyond.append(f"{task_run} epoch {epoch}: {len(effects)} times {phase}")

    def _two(self, task_run: UUID, before: int, after: int) -> None:
        """An execution after another has a reason, and begins when the other is over."""
        first = self.attempts.get((task_run, before))
        effects = self.effects[task_run]
        if first is None or not effects[after]["start"]:
            return
        ended = bool(effects[before]["end"])
        if first.reason in LOST:
            self.found.repeated += 1
            self.found.repeated_after_end += ended
        elif first.reason in HANDED_BACK:
            self.found.handed_over += 1
            self.found.repeated_after_end += ended
            if first.finished is not None:
                began = effects[after]["start"][0].at.timestamp()
                self.found.handed_over_in.append(began - first.finished)
        elif ended and task_run not in self.cleared:
            self.found.beyond.append(
                f"{task_run}: epoch {after} began though epoch {before} had ended well "
                f"({first.state} {first.reason})"
            )
        self._overlap(effects[before], effects[after])

    def _overlap(self, before: dict[str, list[Effect]], after: dict[str, list[Effect]]) -> None:
        began = after["start"][0].at
        for effect in (*before["end"], *before["fail"], *before["gone"]):
            if effect.at > began:
                self.found.overlaps.append((effect.at - began).total_seconds())

    def _loss(self, lost: Attempt) -> None:
        """A loss has a cause, is mended, and what was lost has nothing more to say."""
        assert lost.finished is not None
        cause = self._cause(lost)
        if cause is None:
            over = max((fault.until or fault.at for fault in self.found.faults), default=0.0)
            self.found.false_alarms.append(
                f"{lost.task_run_id} epoch {lost.epoch} on {lost.worker} was begun "
                f"{lost.started - over:+.1f} s and taken over {lost.finished - over:+.1f} s after "
                "the last fault"
            )
        else:
            self.taken[cause] += 1
            self.found.noticed[cause.kind].append(lost.finished - cause.at)
            began = [
                effects["start"][0].at.timestamp()
                for epoch, effects in sorted(self.effects[lost.task_run_id].items())
                if epoch > lost.epoch and effects["start"]
            ]
            if began and self._is_hit_again(lost.finished, began[0]):
                self.found.hit_again.append(began[0] - cause.at)
            elif began:
                self.found.recovered[cause.kind].append(began[0] - cause.at)
        late = [
            effect
            for phase in ("end", "fail")
            for effect in self.effects[lost.task_run_id][lost.epoch][phase]
            if effect.at.timestamp() > lost.finished
        ]
        if late:
            self.found.zombies += 1
            task = self.final[lost.task_run_id]
            was_accepted = task.epoch == lost.epoch and task.state == "success"
            self.found.zombies_refused += not was_accepted

    def _is_hit_again(self, since: float, until: float) -> bool:
        """Whether a worker has died over a message that it had taken and not begun, meanwhile."""
        return any(
            fault.kind == TAKES_A_MESSAGE and since <= fault.at < until
            for fault in self.found.faults
        )

    def _cause(self, lost: Attempt) -> Fault | None:
        """The fault that explains a loss.

        The first that took all of its worker's executions: it cannot have survived that one. Else
        one that took a single execution, and explains no other.
        """
        faults = sorted(self.found.faults, key=lambda fault: fault.at)
        there = [fault for fault in faults if _explains(fault, lost)]
        of_all = [fault for fault in there if fault.takes == "all"]
        of_one = [fault for fault in there if fault.takes == "one" and not self.taken[fault]]
        return next(iter([*of_all, *of_one]), None)


def _explains(fault: Fault, lost: Attempt) -> bool:
    """Whether it came to the worker while it had that execution."""
    assert lost.finished is not None
    if fault.target not in {lost.label, "*"}:
        return False
    until = fault.at if fault.until is None else fault.until
    return lost.started <= until + _SLACK and lost.finished >= fault.at - _SLACK


def _waits(history: Sequence[Moved]) -> Iterator[Pause]:
    """From `queued` to the claim."""
    queued: dict[UUID, float] = {}
    for moved in history:
        if moved.task_run_id is None:
            continue
        if moved.to_state == "queued":
            queued[moved.task_run_id] = moved.at
        elif (since := queued.pop(moved.task_run_id, None)) and moved.to_state == "running":
            yield Pause(moved.at - since, since, moved.task_run_id)


def _gaps(found: Findings) -> list[float]:
    if not found.faults:
        return []
    first, last = found.faults[0].at, found.faults[-1].at
    began = [effect.at.timestamp() for effect in found.effects if effect.phase == "start"]
    within = [at for at in sorted(began) if first <= at <= last]
    return [later - earlier for earlier, later in itertools.pairwise(within)]


def _idle(history: Sequence[Moved]) -> Iterator[Pause]:
    """When nothing of a run was queued or at work, though it had not ended.

    The next step of a chain counts as neither: it is a message behind others, of which Postgres
    knows when it is claimed. So a long queue shows here too.
    """
    moving: dict[UUID, set[UUID]] = defaultdict(set)
    still_since: dict[UUID, float] = {}
    for moved in history:
        on_its_way = moving[moved.run_id]
        was_moving = bool(on_its_way)
        if moved.task_run_id is None:
            begins, ends = moved.to_state == "running", moved.to_state != "running"
        else:
            if moved.to_state in _MOVING:
                on_its_way.add(moved.task_run_id)
            else:
                on_its_way.discard(moved.task_run_id)
            begins = was_moving and not on_its_way
            ends = not was_moving and bool(on_its_way)
        if ends and (since := still_since.pop(moved.run_id, None)) is not None:
            yield Pause(moved.at - since, since, moved.run_id)
        elif begins and not on_its_way:
            still_since.setdefault(moved.run_id, moved.at)


def p50(values: Sequence[float]) -> float | None:
    """What half of them stay below; None where there are none."""
    found = Spread.of(values)
    return found.p50 if found else None


def p95(values: Sequence[float]) -> float | None:
    """What all but a twentieth of them stay below; None where there are none."""
    found = Spread.of(values)
    return found.p95 if found else None


def longest(values: Sequence[float]) -> float | None:
    """The longest of them; None where there are none."""
    return max(values, default=None)
