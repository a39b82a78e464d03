"""Everything that can happen to runs, in any order, on the real statements and in the mirror.

After each step the database and the mirror agree, and nothing that must always hold is broken. In
the end everything arrives, what is lost is recovered, and every run is over.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models.functions import Now
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dags_app.models import Dag, VersionTask
from runs_app import dispatching
from runs_app.actions import attempts, cancellation, dead_letters, leases, recovery, rerunning
from runs_app.actions.admission import admit
from runs_app.actions.dispatching_steps import dispatch
from runs_app.actions.promotion import promote_all
from runs_app.actions.retention import prune
from runs_app.actions.timing_out import time_out
from runs_app.actions.waking import wake
from runs_app.dispatching import Ticket
from runs_app.domain.claims import Refusal
from runs_app.domain.clearing import Selection
from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Outcome
from runs_app.domain.states import RunState, TaskState
from runs_app.models import DagRun, DeadLetter, Pool, TaskRun, Tick, Transition
from runs_app.selectors.dead_letters import letter_of
from runs_app.selectors.graphs import graph_of
from runs_app.selectors.invariants.examining import Scope, examine
from runs_app.selectors.invariants.terms import NO_TOLERANCE, Tolerance
from skytrail.errors import Conflict
from tests.conveyor import failing
from tests.factories import save_dag, start_run
from tests.model.graphs import DAGS, POOLS
from tests.model.mirror import Mirror, Run, Task
from tests.model.post import Post

#: Runs in one story.
MOST_RUNS = 6

#: Rounds of delivering and recovering after which every run has to be over.
MOST_ROUNDS = 60

#: Every move is made by itself; what stands still may be under way until the end of the story.
_UNDER_WAY = Tolerance(standing_still=timedelta(days=1), at_once=timedelta(0))

_OUTCOMES = {
    "success": Outcome.success(),
    "failure": failing(),
    "failure for good": Outcome.failed("it broke", reason="exception", may_retry=False),
    "skip": Outcome.skipped("nothing to do"),
    "poke": Outcome.poke_again(60),
    "wait": Outcome.deferred(3600),
    "stopped": Outcome(state=TaskState.CANCELLED, message="told to stop", reason="cancelled"),
}

places = st.integers(0, 1_000)


def _nothing() -> None:
    """What follows a message that came from nowhere."""


@dataclass
class Executing:
    """A worker's execution; the worker may long have been given up."""

    execution: Execution
    key: UUID
    then: Callable[[], None]


class Runs(RuleBasedStateMachine):
    """Runs, their messages, and the workers that execute them."""

    dags: dict[str, Dag] = {}

    @classmethod
    def prepare(cls) -> None:
        """Saves the DAGs, once for all stories."""
        for name, slots in POOLS.items():
            Pool.objects.create(name=name, slots=slots)
        cls.dags = {
            name: save_dag(graph, name=name, **fields) for name, (graph, fields) in DAGS.items()
        }

    def __init__(self) -> None:
        super().__init__()
        self.post = Post(self)
        self.mirror = Mirror(POOLS)
        self.executing: list[Executing] = []
        self.ended: list[tuple[Execution, Outcome]] = []
        self.moves_looked_at = 0
        self.names: list[str] = []

    @initialize(names=st.lists(st.sampled_from(sorted(DAGS)), min_size=1, max_size=2))
    def begin(self, names: list[str]) -> None:
        """A story is about one DAG, or two: what is rare in one would never happen among many."""
        self.names = names
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE skytrail_dag_run, skytrail_transition, skytrail_tick CASCADE")
        for name in ("presence", "recover"):
            Tick.objects.create(name=name, ran_at=Now(), memory={})
        Tick.objects.filter(name="presence").update(memory={"settled_at": "2026-01-01T00:00:00Z"})
        dispatching.get_dispatcher.cache_clear()
        type(self).current = self.post
        for name in names:
            self._launch(name)

    #: What `SKYTRAIL_DISPATCHER` finds.
    current: Post

    # ------------------------------------------------------------ runs

    @precondition(lambda self: len(self.mirror.runs) < MOST_RUNS)
    @rule(place=places)
    def launch(self, place: int) -> None:
        self._launch(self.names[place % len(self.names)])

    def _launch(self, name: str) -> None:
        made = start_run(self.dags[name])
        self.mirror.launched(self._mirrored(name, made))

    def _mirrored(self, name: str, made: DagRun) -> Run:
        dag = self.dags[name]
        graph = graph_of(dag.version_id)
        rows = VersionTask.objects.filter(version_id=dag.version_id).order_by("position")
        keys = dict(TaskRun.objects.filter(run=made).values_list("position", "pk"))
        tasks = [
            Task(
                pk=keys[row.position],
                position=row.position,
                task_id=row.task_id,
                rule=row.trigger_rule,
                is_gated=row.is_gated,
                is_branch=row.type == "branch",
                is_short_circuit=row.type == "short_circuit",
                retries=row.retries,
                pool=row.pool,
                priority=row.priority,
                reruns_when_lost=row.rerun_on_worker_loss,
                queued_timeout=row.queued_timeout_seconds is not None,
                max_attempts=row.retries + 1,
            )
            for row in rows
        ]
        return Run(
            pk=made.pk,
            dag=name,
            max_active_runs=dag.max_active_runs,
            max_active_tasks=dag.max_active_tasks,
            graph=graph,
            state=RunState.QUEUED,
            tasks=tasks,
        )

    has_runs = precondition(lambda self: bool(self.mirror.runs))

    def _run(self, place: int) -> Run:
        runs = list(self.mirror.runs.values())
        return runs[place % len(runs)]

    def _task(self, place: int) -> tuple[Run, Task]:
        tasks = list(self.mirror.tasks())
        return tasks[place % len(tasks)]

    @has_runs
    @rule(place=places)
    def dispatch_unasked(self, place: int) -> None:
        self.receive_dispatch(self._run(place).pk, None)

    @has_runs
    @rule(place=places)
    def cancel_run(self, place: int) -> None:
        run = self._run(place)
        answer = _answer(
            lambda: cancellation.cancel_run(DagRun.objects.get(pk=run.pk), actor="user:alice")
        )
        assert answer is self.mirror.run_cancelled(run)

    @has_runs
    @rule(place=places)
    def cancel_task(self, place: int) -> None:
        _, task = self._task(place)
        answer = _answer(
            lambda: cancellation.cancel_task(TaskRun.objects.get(pk=task.pk), actor="user:alice")
        )
        assert answer is self.mirror.task_cancelled(task)

    @has_runs
    @rule(place=places, downstream=st.booleans(), only_failed=st.booleans())
    def clear_task(self, place: int, downstream: bool, only_failed: bool) -> None:
        run, task = self._task(place)
        self._clear(run, [task.task_id], downstream=downstream, only_failed=only_failed)

    @has_runs
    @rule(place=places, only_failed=st.booleans())
    def clear_run(self, place: int, only_failed: bool) -> None:
        self._clear(self._run(place), None, downstream=True, only_failed=only_failed)

    def _clear(
        self, run: Run, task_ids: list[str] | None, *, downstream: bool, only_failed: bool
    ) -> None:
        selection = Selection(task_ids=task_ids, downstream=downstream, only_failed=only_failed)
        answer = _answer(
            lambda: rerunning.clear(DagRun.objects.get(pk=run.pk), selection, actor="user:alice")
        )
        chosen = {
            task.position for task in run.tasks if task_ids is None or task.task_id in task_ids
        }
        if downstream:
            chosen |= run.graph.descendants(chosen)
        if only_failed:
            bad = {TaskState.FAILED, TaskState.UPSTREAM_FAILED, TaskState.CANCELLED}
            chosen = {position for position in chosen if run.tasks[position].state in bad}
        assert answer is self.mirror.cleared(run, _with_scope(run, chosen))

    dead = property(
        lambda self: [
            (run, task)
            for run, task in self.mirror.tasks()
            if task.state is TaskState.FAILED and not task.is_dropped
        ]
    )

    @precondition(lambda self: bool(self.dead))
    @rule(place=places)
    def replay_dead_letter(self, place: int) -> None:
        run, task = self.dead[place % len(self.dead)]
        letter = letter_of(DeadLetter.objects.select_related("dag", "run").get(pk=task.pk))
        answer = _answer(lambda: dead_letters.replay(letter, actor="user:alice"))
        chosen = {task.position} | run.graph.descendants({task.position})
        assert answer is self.mirror.cleared(run, _with_scope(run, chosen))

    @precondition(lambda self: bool(self.dead))
    @rule(place=places)
    def drop_dead_letter(self, place: int) -> None:
        _, task = self.dead[place % len(self.dead)]
        letter = letter_of(DeadLetter.objects.select_related("dag", "run").get(pk=task.pk))
        dead_letters.drop(letter, actor="user:alice")
        task.is_dropped = True

    # ------------------------------------------------------------ messages

    has_post = precondition(lambda self: bool(self.post.messages))

    @has_post
    @rule(place=places)
    def deliver(self, place: int) -> None:
        self.post.deliver(place % len(self.post.messages))

    @has_post
    @rule(messages=st.integers(1, 6))
    def carry_on(self, messages: int) -> None:
        """As on most days: what arrives is executed, and goes well."""
        for _ in range(messages):
            if self.post.messages:
                self.post.deliver(0)
            if self.executing:
                self._succeed(self.executing.pop())

    @has_post
    @rule(place=places)
    def deliver_and_keep(self, place: int) -> None:
        self.post.deliver(place % len(self.post.messages), keep=True)

    @has_post
    @rule(place=places)
    def lose(self, place: int) -> None:
        self.post.messages.pop(place % len(self.post.messages))

    @has_post
    @rule()
    def lose_everything(self) -> None:
        self.post.lose_all()

    @has_post
    @rule(place=places)
    def deliver_another(self, place: int) -> None:
        self.post.deliver(place % len(self.post.messages))

    @has_post
    @rule()
    def deliver_the_next(self) -> None:
        self.post.deliver(0)

    def receive_dispatch(self, run_pk: UUID, towards: Sequence[int] | None) -> None:
        dispatch(run_pk, towards, actor="dispatcher")
        self.mirror.dispatched(run_pk, self._line())

    def receive_ticket(self, ticket: Ticket, then: Callable[[], None]) -> None:
        refused = self._claim(ticket.task_run_id, ticket.epoch, then)
        if refused not in {None, Refusal.ELSEWHERE}:
            then()

    def _claim(self, task_run: UUID, epoch: int, then: Callable[[], None]) -> Refusal | None:
        key = uuid.uuid4()
        answer = attempts.claim(task_run_id=task_run, epoch=epoch, worker="worker@one", key=key)
        refused = answer if isinstance(answer, Refusal) else None
        assert refused is self.mirror.claimed(task_run, epoch)
        if isinstance(answer, Execution):
            self.executing.append(Executing(answer, key, then))
        return refused

    def _is_executing(self, task_run: UUID, epoch: int) -> bool:
        return any(
            (one.execution.task_run_id, one.execution.epoch) == (task_run, epoch)
            for one in self.executing
        )

    @has_runs
    @rule(place=places, ahead=st.integers(-1, 2))
    def claim_by_guess(self, place: int, ahead: int) -> None:
        """A message from who knows when."""
        _, task = self._task(place)
        self._claim(task.pk, max(0, task.epoch + ahead), _nothing)

    # ------------------------------------------------------------ workers

    is_executing = precondition(lambda self: bool(self.executing))

    @is_executing
    @rule(place=places, how=st.sampled_from(sorted(_OUTCOMES)), data=st.data())
    def finish(self, place: int, how: str, data: st.DataObject) -> None:
        one = self.executing.pop(place % len(self.executing))
        _, task = self.mirror.find(one.execution.task_run_id)
        if how == "stopped" and task.state is TaskState.RUNNING:
            how = "failure"  # nobody has told it to stop
        outcome = _OUTCOMES[how]
        if task.is_branch and how == "success":
            after = sorted(one.execution.downstream)
            outcome = Outcome.success(
                chosen=tuple(data.draw(st.lists(st.sampled_from(after), unique=True)))
            )
        if task.is_short_circuit and how == "success":
            outcome = Outcome.success(chosen=() if data.draw(st.booleans()) else None)
        self._finish(one, outcome)

    @is_executing
    @rule(place=places)
    def succeed(self, place: int) -> None:
        self._succeed(self.executing.pop(place % len(self.executing)))

    @is_executing
    @rule()
    def first_succeeds(self) -> None:
        self._succeed(self.executing.pop(0))

    def _succeed(self, one: Executing) -> None:
        branches = one.execution.downstream
        self._finish(one, Outcome.success(chosen=tuple(branches) if branches else None))

    def _finish(self, one: Executing, outcome: Outcome) -> None:
        execution = one.execution
        run, task = self.mirror.find(execution.task_run_id)
        chosen = None
        if outcome.chosen is not None:
            chosen = frozenset(run.graph.position_of[name] for name in outcome.chosen)
        finished = attempts.finish(execution, outcome, worker="worker@one")
        state = self.mirror.finished(
            task.pk,
            execution.epoch,
            outcome.state,
            may_retry=outcome.may_retry,
            chosen=chosen,
        )
        assert (finished and finished.state) is state, "the result of an old epoch never lands"
        self.ended.append((execution, outcome))
        if finished is not None and finished.needs_dispatch:
            self.post.request_dispatch(finished.run_pk)
        one.then()

    @precondition(lambda self: bool(self.ended))
    @rule(place=places)
    def report_again(self, place: int) -> None:
        """The answer was lost, or the worker is mad: it changes nothing."""
        execution, outcome = self.ended[place % len(self.ended)]
        attempts.finish(execution, outcome, worker="worker@one")

    @is_executing
    @rule(place=places)
    def claim_again(self, place: int) -> None:
        """The connection died before the answer came."""
        one = self.executing[place % len(self.executing)]
        execution = one.execution
        answer = attempts.claim(
            task_run_id=execution.task_run_id,
            epoch=execution.epoch,
            worker="worker@one",
            key=one.key,
        )
        is_held = self.mirror.is_held(execution.task_run_id, execution.epoch)
        assert isinstance(answer, Execution) is is_held

    @is_executing
    @rule()
    def renew(self) -> None:
        pairs = [(one.execution.task_run_id, one.execution.epoch) for one in self.executing]
        held = {(row.id, row.epoch): row.state for row in leases.renew(pairs)}
        expected = {}
        for task_run, epoch in pairs:
            if self.mirror.is_held(task_run, epoch):
                _, task = self.mirror.find(task_run)
                task.lease_is_over = False
                expected[task_run, epoch] = str(task.state)
        assert held == expected

    @is_executing
    @rule(place=places)
    def hand_back(self, place: int) -> None:
        one = self.executing.pop(place % len(self.executing))
        execution = one.execution
        answer = attempts.hand_back(execution, worker="worker@one")
        assert answer is self.mirror.handed_back(execution.task_run_id, execution.epoch)
        one.then()

    @is_executing
    @rule(place=places, stays=st.booleans())
    def lease_runs_out(self, place: int, stays: bool) -> None:
        """Of a worker that has died, or of one that `stays` and will yet report its end."""
        place %= len(self.executing)
        one = self.executing[place] if stays else self.executing.pop(place)
        execution = one.execution
        if self.mirror.is_held(execution.task_run_id, execution.epoch):
            TaskRun.objects.filter(pk=execution.task_run_id).update(
                lease_expires_at=Now() - timedelta(seconds=1)
            )
            self.mirror.find(execution.task_run_id)[1].lease_is_over = True

    @is_executing
    @rule(place=places, messages=st.integers(0, 3))
    def worker_freezes(self, place: int, messages: int) -> None:
        """Another takes over, and may have begun when the first comes back."""
        self.lease_runs_out(place, stays=True)
        self.recover(later=False)
        for _ in range(messages):
            if self.post.messages:
                self.post.deliver(-1)

    @is_executing
    @rule(place=places)
    def process_dies(self, place: int) -> None:
        """And its worker sees it on the board."""
        one = self.executing.pop(place % len(self.executing))
        execution = one.execution
        recovery.take_over_dead([(execution.task_run_id, execution.epoch)])
        if self.mirror.is_held(execution.task_run_id, execution.epoch):
            self.mirror.lost(self.mirror.find(execution.task_run_id)[1])

    # ------------------------------------------------------------ the clock's

    @has_runs
    @rule(later=st.booleans())
    def recover(self, later: bool) -> None:
        self._let_time_pass(much=later)
        assert recovery.recover(every=5) is not None
        for _, task in list(self.mirror.tasks()):
            if task.lease_is_over and self.mirror.is_held(task.pk, task.epoch):
                self.mirror.lost(task)
                task.lease_is_over = False
        line = self._line()
        if later:
            # Chosen beforehand: a run that one of them makes room for waits for its own message.
            for run in self.mirror.under_way():
                self.mirror.dispatched(run.pk, line)
        for name in DAGS:
            self.mirror.promoted(name)
        self.mirror.admitted(line)

    def _let_time_pass(self, *, much: bool) -> None:
        """Where it is `much`, every run has not been planned for long, the first least of all."""
        Tick.objects.filter(name="presence").update(ran_at=Now())
        Tick.objects.filter(name="recover").update(ran_at=Now() - timedelta(seconds=6))
        if not much:
            DagRun.objects.update(planned_at=Now())
            return
        for place, run_pk in enumerate(self.mirror.runs):
            DagRun.objects.filter(pk=run_pk).update(
                planned_at=Now() - timedelta(hours=1) + timedelta(seconds=place)
            )
        TaskRun.objects.filter(state="queued").update(
            published_at=Now() - timedelta(hours=1), publish_count=1
        )

    @has_runs
    @rule()
    def wake(self) -> None:
        TaskRun.objects.filter(wake_at__isnull=False).update(wake_at=Now() - timedelta(seconds=1))
        wake()
        self.mirror.woken(self._line())

    def _admit(self) -> None:
        admit()
        self.mirror.admitted(self._line())

    def _promote(self) -> None:
        promote_all(actor="engine")
        for name in DAGS:
            self.mirror.promoted(name)

    @has_runs
    @rule(which=st.sampled_from(["admit", "promote", "prune"]))
    def tick(self, which: str) -> None:
        {"admit": self._admit, "promote": self._promote, "prune": self._prune}[which]()

    @has_runs
    @rule(place=places)
    def run_takes_too_long(self, place: int) -> None:
        run = self._run(place)
        updated = DagRun.objects.filter(pk=run.pk, times_out_at__isnull=False).update(
            times_out_at=Now() - timedelta(seconds=1)
        )
        time_out()
        if updated:
            self.mirror.run_timed_out(run)

    @has_runs
    @rule(place=places)
    def queued_for_too_long(self, place: int) -> None:
        run, task = self._task(place)
        TaskRun.objects.filter(pk=task.pk, state="queued").update(
            queued_at=Now() - timedelta(hours=2)
        )
        time_out()
        if task.queued_timeout and task.state is TaskState.QUEUED and run.state is RunState.RUNNING:
            self.mirror.given_up(task)

    def _prune(self) -> None:
        assert prune(keep=timedelta(days=1)) == 0

    # ------------------------------------------------------------ what must hold

    def _line(self) -> dict[UUID, Any]:
        """Since when each gated task has stood in line."""
        rows = TaskRun.objects.filter(ready_at__isnull=False)
        return dict(rows.values_list("pk", "ready_at"))

    @invariant()
    def the_mirror_shows_what_is_there(self) -> None:
        rows = TaskRun.objects.values_list(
            "pk",
            "state",
            "epoch",
            "attempt",
            "max_attempts",
            "lost_count",
            "ready_at",
            "dropped_at",
            "is_gated",
        )
        there = {
            pk: (*told, (ready is not None) if told[0] == "waiting" and gated else None, bool(gone))
            for pk, *told, ready, gone, gated in rows
        }
        different = [
            f"{run.dag}.{task.task_id}: the database has {there.get(task.pk)}, the model {told}"
            for run, task in self.mirror.tasks()
            if there.get(task.pk) != (told := task.told())
        ]
        assert different == []
        runs = dict(DagRun.objects.values_list("pk", "state"))
        assert runs == {run.pk: str(run.state) for run in self.mirror.runs.values()}

    @invariant()
    def what_must_always_hold_holds(self) -> None:
        moves = Transition.objects.count()
        if moves == self.moves_looked_at:
            return
        self.moves_looked_at = moves
        found = examine(Scope(runs=list(self.mirror.runs)), tolerance=_UNDER_WAY)
        assert found.breaches == []

    def teardown(self) -> None:
        """Everything arrives, what is lost is recovered, and every run is over."""
        if sys.exc_info()[0] is not None:
            return  # the story has failed before, and what was wrong then is what counts
        for _ in range(MOST_ROUNDS):
            if all(run.state.is_final for run in self.mirror.runs.values()):
                break
            self._go_on()
        self.the_mirror_shows_what_is_there()
        states = {str(run.state) for run in self.mirror.runs.values()}
        assert states <= {"success", "failed", "cancelled"}, "every run ends"
        found = examine(Scope(runs=list(self.mirror.runs)), tolerance=NO_TOLERANCE)
        assert found.breaches == []

    def _go_on(self) -> None:
        while self.post.messages:
            self.post.deliver(0)
        while self.executing:
            self._succeed(self.executing.pop())
        while self.post.messages:
            self.post.deliver(0)
        for task_run in TaskRun.objects.filter(lease_expires_at__isnull=False):
            # Whoever held it has died: nobody is left who could renew it.
            if not self._is_executing(task_run.pk, task_run.epoch):
                self._let_run_out(task_run)
        self.wake()
        self.recover(later=True)

    def _let_run_out(self, task_run: TaskRun) -> None:
        TaskRun.objects.filter(pk=task_run.pk).update(lease_expires_at=Now() - timedelta(seconds=1))
        self.mirror.find(task_run.pk)[1].lease_is_over = True


def _with_scope(run: Run, chosen: set[int]) -> set[int]:
    """Whatever runs again has around it what is set up, and torn down, for it."""
    names = {run.tasks[position].task_id for position in chosen}
    if run.dag != "around" or not names & {"make", "check", "work"}:
        return chosen
    return chosen | {run.graph.position_of[name] for name in ("make", "drop")}


def _answer(ask: Callable[[], object]) -> bool:
    """False where it was refused for how things stand."""
    try:
        ask()
    except Conflict:
        return False
    return True
