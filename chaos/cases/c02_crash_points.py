"""C2: dispatchers and workers die at the worst moments: between two writes that belong together."""

from __future__ import annotations

import contextlib
import time

from chaos.case import DISPATCH_GONE, MESSAGE_GONE, Case, Goal, at_most, exactly
from chaos.parts import Part
from chaos.points import CRASH_AT, OF_DISPATCHERS, OF_WORKERS
from chaos.stage import Stage
from chaos.verdict import Findings, longest
from chaos.waiting import Late

#: Seconds within which a process comes to its point under load.
_TO_GET_THERE = 60.0

_DISPATCHER, _WORKER = "d2", "w3"


def inject(stage: Stage) -> None:
    """One dispatcher and one worker die again and again; the others go on."""
    times = stage.options.times(5, 1)
    left = {_DISPATCHER: list(OF_DISPATCHERS) * times, _WORKER: list(OF_WORKERS) * times}
    for label, points in left.items():
        stage.random.shuffle(points)
        stage.parts[label].terminate()
    armed: dict[str, tuple[Part, str, float]] = {}
    missed: list[str] = []
    while armed or any(left.values()):
        for label, points in left.items():
            if label not in armed and points and not stage.parts[label].is_alive:
                point = points.pop()
                armed[label] = (_arm(stage, label, point), point, time.monotonic())
        with contextlib.suppress(Late):
            stage.wait_until(lambda: _next_to_act(stage, left, armed), 1.0, what="one has died")
        for label, (part, point, since) in list(armed.items()):
            if not part.is_alive:
                takes = "all" if label == _WORKER else "none"
                stage.note(f"died {point}", label, takes=takes)
                del armed[label]
            elif time.monotonic() - since > _TO_GET_THERE:
                missed.append(point)
                part.kill_group()
                del armed[label]
    stage.notes["missed"] = missed
    stage.start_dispatcher(_DISPATCHER)
    stage.start_worker(_WORKER)


def goals(found: Findings, stage: Stage) -> list[Goal]:
    """Recovery, and nothing stands still for longer than that either."""
    limit = stage.options.lease + 10
    return [
        exactly("points that were not reached", ", ".join(stage.notes["missed"]) or "none", "none"),
        at_most("recovery: longest", longest(found.everything_recovered), limit),
        at_most(
            "recovery of those whose next message was lost too: longest",
            longest(found.hit_again),
            limit + MESSAGE_GONE,
        ),
        at_most("a run stood still: longest", longest(found.idle), DISPATCH_GONE),
        at_most("a task was queued: longest", longest(found.waits), MESSAGE_GONE),
    ]


def _arm(stage: Stage, label: str, point: str) -> Part:
    """Starts the process so that it dies when it comes to `point` for the second time or so."""
    crash = {CRASH_AT: f"{point}:{stage.random.randint(1, 4)}"}
    if label == _WORKER:
        part = stage.start_worker(label, **crash)
    else:
        part = stage.start_dispatcher(label, **crash)
    part.may_end = True
    return part


def _next_to_act(
    stage: Stage, left: dict[str, list[str]], armed: dict[str, tuple[Part, str, float]]
) -> bool:
    dead = any(not part.is_alive for part, _, _ in armed.values())
    free = any(
        points and label not in armed and not stage.parts[label].is_alive
        for label, points in left.items()
    )
    return dead or free


CASE = Case(id="C2", title="Death at the worst moment", inject=inject, goals=goals)
