"""C13: a worker is halted for three leases with all it has started, and goes on as a zombie."""

from __future__ import annotations

import time
from dataclasses import replace

from chaos.case import Case, Goal, at_most
from chaos.parts import Part
from chaos.stage import Stage
from chaos.verdict import Findings, longest


def inject(stage: Stage) -> None:
    """One worker after the other, each while it is busy."""
    for number in range(stage.options.times(3, 1)):
        worker = stage.workers()[number % len(stage.workers())]
        stage.wait_until(
            lambda worker=worker: _busy(stage, worker) >= 2,  # type: ignore[misc]
            60,
            what=f"{worker.label} is at work",
        )
        fault = stage.note("frozen", worker.label)
        with worker.halted():
            stage.rest(3 * stage.options.lease)
        stage.faults[-1] = replace(fault, until=time.time())
        stage.rest(stage.options.lease / 2)


def goals(found: Findings, stage: Stage) -> list[Goal]:
    """There were zombies, or nothing has been shown; that they are refused is a usual goal."""
    return [
        Goal("zombies", str(found.zombies), "> 0", found.zombies > 0),
        at_most("taken over after: longest", longest(found.noticed["frozen"]), _limit(stage)),
    ]


def _limit(stage: Stage) -> float:
    return stage.options.lease + 10


def _busy(stage: Stage, worker: Part) -> int:
    """How many tasks it executes."""
    rows = stage.rows(
        "SELECT count(*) FROM skytrail_attempt WHERE state = 'running' AND worker LIKE %s",
        f"{worker.label}@%",
    )
    return int(rows[0][0]) if rows else 0


CASE = Case(id="C13", title="Frozen workers come back", inject=inject, goals=goals)
