"""C4: a deployment: every process is told to stop and started anew, one after the other."""

from __future__ import annotations

import time

from chaos.case import Case, Goal, at_most, exactly
from chaos.stage import Stage
from chaos.verdict import Findings, longest

#: Seconds that a clean stop may take: the tasks' grace time, and what ending takes.
_TO_STOP = 30.0


def inject(stage: Stage) -> None:
    """Workers, dispatchers and beat, in turns."""
    stops = stage.notes["stops"] = []
    unclean = stage.notes["unclean"] = []
    for _ in range(stage.options.times(2, 1)):
        for label in ("w1", "d1", "w2", "b1", "w3", "d2"):
            stage.rest(stage.random.uniform(0.5, 2))
            part = stage.parts[label]
            stage.note("stopped", label, takes="none")
            began = time.monotonic()
            if not part.stop(within=_TO_STOP):
                unclean.append(label)
            stops.append(time.monotonic() - began)
            part.start()
            if label.startswith("w"):
                stage.wait_for_workers()


def goals(found: Findings, stage: Stage) -> list[Goal]:
    """Nothing is lost or done twice, and what was handed over begins at once."""
    return [
        exactly("killed because they did not end", ", ".join(stage.notes["unclean"]) or "none",
                "none"),
        exactly("executions lost", found.repeated, 0),
        exactly("effects twice", found.repeated_after_end, 0),
        at_most("handed over, begun again after: longest", longest(found.handed_over_in), 2),
        at_most("a stop took: longest", longest(stage.notes["stops"]), 15),
        at_most("nothing began anywhere for: longest", longest(found.gaps), 2),
    ]  # fmt: skip


CASE = Case(id="C4", title="Rolling restart", inject=inject, goals=goals)
