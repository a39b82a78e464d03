"""A task in the middle of a run, the states it may stand in, and all that may happen to it there.

The run is `before` → `it` → `after`. Each scene is reached by the statements of the engine itself;
each step says in a word or two what came of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models.functions import Now

from dags_app.models import Dag
from runs_app.actions import admission, attempts, leases, recovery, timing_out
from runs_app.actions.cancellation import cancel_run, cancel_task
from runs_app.actions.dispatching_steps import dispatch
from runs_app.actions.rerunning import clear
from runs_app.actions.waking import wake
from runs_app.domain.claims import Refusal
from runs_app.domain.clearing import Selection
from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Outcome
from runs_app.domain.states import TaskState
from runs_app.models import DagRun, Pool, TaskRun
from skytrail.errors import Conflict
from tests.factories import save_dag, start_run, task

ONE, TWO = "worker@one", "worker@two"

#: The epoch that messages for `it` name in all scenes.
EPOCH = 1


@dataclass
class Scene:
    """`it`, in its run; `execution` where a worker has begun it."""

    run: DagRun
    it: TaskRun
    execution: Execution | None = None

    def standing(self) -> dict[str, str]:
        """Each task of the run: `state epoch`."""
        rows = TaskRun.objects.filter(run=self.run).order_by("position")
        return {row.task_id: f"{row.state} {row.epoch}" for row in rows}


def _begin(run: DagRun, task_id: str) -> Execution:
    row = task(run, task_id)
    execution = attempts.claim(task_run_id=row.pk, epoch=EPOCH, worker=ONE)
    assert isinstance(execution, Execution)
    return execution


# ---------------------------------------------------------------- where it may stand


def save_dags() -> None:
    """The DAGs of all scenes. One has a pool, and so slots to wait for."""
    Pool.objects.create(name="pool", slots=5)
    graph = {"before": [], "it": ["before"], "after": ["it"]}
    it: dict[str, object] = {"retries": 1, "retry_delay_seconds": 0, "queued_timeout_seconds": 60}
    for name, gate in (("plain", {}), ("gated", {"pool": "pool"})):
        save_dag(graph, name=name, run_timeout_seconds=600, tasks={"it": {**it, **gate}})


def waiting(dag_id: str = "plain") -> Scene:
    """`before` has just ended well, and neither the canvas nor the dispatcher has gone on."""
    run = start_run(Dag.objects.get(dag_id=dag_id))
    attempts.finish(_begin(run, "before"), Outcome.success(), worker=ONE)
    return Scene(run, task(run, "it"))


def waiting_for_a_slot() -> Scene:
    """It is ready, and in line for a slot of its pool."""
    scene = waiting("gated")
    TaskRun.objects.filter(pk=scene.it.pk).update(ready_at=Now())
    return scene


def queued() -> Scene:
    """The dispatcher has queued it, its message is late, and so are it and its run."""
    scene = waiting()
    dispatch(scene.run.pk, actor="dispatcher")
    DagRun.objects.filter(pk=scene.run.pk).update(times_out_at=Now() - timedelta(minutes=1))
    TaskRun.objects.filter(pk=scene.it.pk).update(
        published_at=Now() - timedelta(hours=1), queued_at=Now() - timedelta(hours=1)
    )
    return scene


def running() -> Scene:
    """A worker is at it. Its lease has run out, so that it may be renewed as well as taken over;
    and so has the time of its run.
    """
    scene = waiting()
    scene.execution = _begin(scene.run, "it")
    DagRun.objects.filter(pk=scene.run.pk).update(times_out_at=Now() - timedelta(minutes=1))
    TaskRun.objects.filter(pk=scene.it.pk).update(lease_expires_at=Now() - timedelta(seconds=1))
    return scene


def cancelling() -> Scene:
    """Somebody wants it stopped, and its worker has not done so yet."""
    scene = running()
    cancel_task(scene.it, actor="user:alice")
    return scene


def restarting() -> Scene:
    """It was cleared while a worker was at it."""
    scene = running()
    clear(scene.run, Selection(task_ids=["it"]), actor="user:alice")
    return scene


def up_for_retry() -> Scene:
    """It has failed, has one try left, and the time for it has come."""
    scene = running()
    assert scene.execution is not None
    attempts.finish(scene.execution, _BROKEN, worker=ONE)
    return scene


def success() -> Scene:
    """It has ended well, and its run has not ended yet."""
    scene = running()
    assert scene.execution is not None
    attempts.finish(scene.execution, Outcome.success(), worker=ONE)
    return scene


# ---------------------------------------------------------------- what may happen to it

_BROKEN = Outcome.failed("it broke", reason="exception")
_STOPPED = Outcome(state=TaskState.CANCELLED, message="it was told to stop", reason="cancelled")


def _dispatch(scene: Scene) -> str:
    return dispatch(scene.run.pk, actor="dispatcher")


def _claim(scene: Scene) -> str:
    answer = attempts.claim(task_run_id=scene.it.pk, epoch=EPOCH, worker=TWO)
    return answer.value if isinstance(answer, Refusal) else "claimed"


def _renew(scene: Scene) -> str:
    held = leases.renew([(scene.it.pk, EPOCH)])
    return held[0].state if held else "lost"


def _finish(outcome: Outcome) -> Callable[[Scene], str]:
    def finish(scene: Scene) -> str:
        assert scene.execution is not None
        finished = attempts.finish(scene.execution, outcome, worker=ONE)
        return "dropped" if finished is None else f"written: {finished.state}"

    return finish


def _hand_back(scene: Scene) -> str:
    assert scene.execution is not None
    return "given" if attempts.hand_back(scene.execution, worker=ONE) else "not mine"


def _lease_ran_out(scene: Scene) -> str:
    return f"took {recovery.take_over_lost()}"


def _worker_died(scene: Scene) -> str:
    return f"took {recovery.take_over_dead([(scene.it.pk, EPOCH)])}"


def _resend(scene: Scene) -> str:
    _, sent = recovery._resend_lost_messages({scene.it.queue: 100})
    return f"sent {sent}"


def _run_timeout(scene: Scene) -> str:
    return f"stopped {timing_out._stop_runs()}"


def _queued_timeout(scene: Scene) -> str:
    return f"gave up {timing_out._give_up_queued()}"


def _wake(scene: Scene) -> str:
    return f"woke {wake()}"


def _admit(scene: Scene) -> str:
    return f"admitted {admission.admit()}"


def _or_conflict(step: Callable[[Scene], str]) -> Callable[[Scene], str]:
    def done(scene: Scene) -> str:
        try:
            return step(scene)
        except Conflict:
            return "conflict"

    return done


def _cancel_task(scene: Scene) -> str:
    # With an object of its own, as each request has.
    return cancel_task(TaskRun.objects.get(pk=scene.it.pk), actor="user:alice").state


def _cancel_run(scene: Scene) -> str:
    return cancel_run(DagRun.objects.get(pk=scene.run.pk), actor="user:alice").state


def _clear(task_id: str) -> Callable[[Scene], str]:
    def cleared(scene: Scene) -> str:
        run = DagRun.objects.get(pk=scene.run.pk)
        rows = clear(run, Selection(task_ids=[task_id]), actor="user:alice")
        return f"cleared {len(rows)}"

    return cleared


STEPS: dict[str, Callable[[Scene], str]] = {
    "dispatch": _dispatch,
    "claim": _claim,
    "renew": _renew,
    "succeed": _finish(Outcome.success()),
    "fail": _finish(_BROKEN),
    "stopped": _finish(_STOPPED),
    "hand back": _hand_back,
    "lease ran out": _lease_ran_out,
    "worker died": _worker_died,
    "resend": _resend,
    "wake": _wake,
    "admit": _admit,
    "run timeout": _run_timeout,
    "queued timeout": _queued_timeout,
    "cancel task": _or_conflict(_cancel_task),
    "cancel run": _or_conflict(_cancel_run),
    "clear": _or_conflict(_clear("it")),
    "clear before": _or_conflict(_clear("before")),
}

_BY_PEOPLE = ("cancel task", "cancel run", "clear")
_BY_THE_CLOCK = ("resend", "run timeout", "queued timeout")
_BY_WORKERS = ("renew", "succeed", "hand back", "lease ran out", "worker died")

#: Where it may stand: how to get there, and what may happen to it there.
SCENES: dict[str, tuple[Callable[[], Scene], tuple[str, ...]]] = {
    "waiting": (waiting, ("dispatch", "claim", *_BY_PEOPLE, "clear before")),
    "waiting for a slot": (waiting_for_a_slot, ("claim", "admit", *_BY_PEOPLE, "clear before")),
    "queued": (queued, ("dispatch", "claim", *_BY_THE_CLOCK, *_BY_PEOPLE, "clear before")),
    "running": (running, ("claim", *_BY_WORKERS, "fail", "run timeout", *_BY_PEOPLE)),
    "cancelling": (cancelling, (*_BY_WORKERS, "stopped", *_BY_PEOPLE)),
    "restarting": (restarting, ("dispatch", *_BY_WORKERS, "stopped", *_BY_PEOPLE)),
    "up_for_retry": (up_for_retry, ("dispatch", "claim", "wake", *_BY_PEOPLE)),
    "success": (success, ("dispatch", "claim", "succeed", "lease ran out", *_BY_PEOPLE)),
}


def lead_to_its_end(run: DagRun) -> str:
    """Has the run go on by whatever keeps runs going; the state that it ends in, or stands in."""
    for _ in range(6):
        TaskRun.objects.filter(run=run, lease_expires_at__isnull=False).update(
            lease_expires_at=Now() - timedelta(seconds=1)
        )
        recovery.take_over_lost()
        wake()
        dispatch(run.pk, actor="dispatcher")
        for row in TaskRun.objects.filter(run=run, state=TaskState.QUEUED):
            execution = attempts.claim(task_run_id=row.pk, epoch=row.epoch, worker=ONE)
            if isinstance(execution, Execution):
                attempts.finish(execution, Outcome.success(), worker=ONE)
        run.refresh_from_db()
        if run.finished_at is not None:
            break
    return run.state
