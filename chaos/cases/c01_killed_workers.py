"""C1: workers are killed at random moments: the parent, a pool process, the whole group.

All are at work again when the next is killed: how long a task waits for its own worker is the
subject, and not how long it waits for any.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import psutil

from chaos.case import DISPATCH_GONE, MESSAGE_GONE, Case, Goal, at_most
from chaos.parts import Part
from chaos.stage import Stage
from chaos.verdict import Findings, longest, p95

#: Seconds between two faults, by chance.
_PAUSE = (0.3, 2.5)


def kill_parent(stage: Stage, worker: Part) -> None:
    """The worker's main process alone."""
    stage.note("worker killed", worker.label)
    worker.kill()
    _start_again(stage, worker)


def kill_group(stage: Stage, worker: Part) -> None:
    """The worker with all its pool processes at once."""
    stage.note("group killed", worker.label)
    worker.kill_group()
    _start_again(stage, worker)


def kill_child(stage: Stage, worker: Part) -> None:
    """One of its pool processes, of which Celery makes another: a busy one, if there is."""
    pool = worker.pool()
    with contextlib.suppress(psutil.NoSuchProcess):
        pool = [process for process in pool if process.children()] or pool
    if pool:
        victim = stage.random.choice(pool)
        stage.note("pool process killed", worker.label, takes="one")
        victim.kill()


KINDS: tuple[Callable[[Stage, Part], None], ...] = (kill_parent, kill_child, kill_group)


def inject(stage: Stage) -> None:
    """See the module."""
    kill_workers(stage, stage.options.times(8, 2))


def kill_workers(stage: Stage, times: int) -> None:
    """So many faults of each kind, in a random order."""
    faults = list(KINDS) * times
    stage.random.shuffle(faults)
    for fault in faults:
        stage.rest(stage.random.uniform(*_PAUSE))
        ready = stage.wait_for_workers()
        fault(stage, stage.random.choice(sorted(ready, key=lambda worker: worker.label)))


def goals(found: Findings, stage: Stage) -> list[Goal]:
    """Recovery within the goals of the design."""
    limit = stage.options.lease + 10
    parents = [*found.recovered["worker killed"], *found.recovered["group killed"]]
    seen = [*found.noticed["worker killed"], *found.noticed["group killed"]]
    child = "pool process killed"
    return [
        at_most("worker killed, queued again after: longest", longest(seen), limit),
        at_most("worker killed, begun again after: p95", p95(parents), limit),
        at_most(f"{child}, queued again after: longest", longest(found.noticed[child]), 3),
        # Ahead of what others have queued, but a slot has to be free.
        at_most(f"{child}, begun again after: p95", p95(found.recovered[child]), 3),
        at_most("a run stood still: longest", longest(found.idle), DISPATCH_GONE),
        at_most("a task was queued: longest", longest(found.waits), MESSAGE_GONE),
    ]


def _start_again(stage: Stage, worker: Part) -> None:
    """As a supervisor would, after a moment."""
    stage.rest(stage.random.uniform(0, 1.5))
    worker.start()


CASE = Case(id="C1", title="Workers are killed", inject=inject, goals=goals)
