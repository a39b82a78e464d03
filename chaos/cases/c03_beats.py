"""C3: beat is killed, is not there for a while, is there three times: the runs are the same."""

from __future__ import annotations

import itertools
from datetime import timedelta

from chaos.case import Case, Goal, at_most, exactly
from chaos.stage import Stage
from chaos.verdict import Findings, Run
from chaos.work import Shapes, dag

#: The DAG with the schedule, and the seconds between its dates.
_TICKING = "ticking"
_EVERY = 1


def inject(stage: Stage) -> None:
    """All three, one after the other, while a DAG has to run every second."""
    shapes = Shapes(stage.random, stage.grounds.witness.port, long=1.0)
    stage.save(
        dag(
            _TICKING,
            [shapes.task("t", seconds=0.05, kind="python")],
            schedule={"interval_seconds": _EVERY},
            catchup=True,
        )
    )
    stage.wait_until(lambda: _count(stage) >= 1, 30, what="it ticks")
    beat = stage.parts["b1"]
    for _ in range(stage.options.times(10, 3)):
        stage.rest(stage.random.uniform(0.2, 3))
        stage.note("beat killed", beat.label, takes="none")
        beat.kill_group()
        beat.start()
    stage.note("no beat", beat.label, takes="none")
    beat.kill_group()
    stage.rest(stage.options.times(60, 20))
    beat.start()
    for label in ("b2", "b3"):
        stage.note("one more beat", label, takes="none")
        stage.start(label, "beat")
    stage.rest(stage.options.times(45, 10))
    with stage.client() as client:
        client.patch(f"dags/{_TICKING}", json={"paused": True}).raise_for_status()
    stage.notes["dates"] = [
        row[0]
        for row in stage.rows(
            "SELECT extract(epoch FROM r.queued_at - r.data_interval_end)::float8"
            " FROM skytrail_dag_run r WHERE r.run_type = 'scheduled'"
        )
    ]


def goals(found: Findings, stage: Stage) -> list[Goal]:
    """Every date once, none left out, and none too late."""
    runs = [run for run in found.runs if run.run_type == "scheduled"]
    return [
        exactly("dates left out or doubled", _irregular(runs), 0),
        Goal("scheduled runs", str(len(runs)), "> 10", len(runs) > 10),
        at_most("the latest came after its time by", max(stage.notes["dates"], default=None), 35),
    ]


def _irregular(runs: list[Run]) -> int:
    """How many dates do not come one interval after the one before."""
    dates = sorted(run.logical_date for run in runs if run.logical_date is not None)
    every = timedelta(seconds=_EVERY)
    return sum(later - earlier != every for earlier, later in itertools.pairwise(dates))


def _count(stage: Stage) -> int:
    rows = stage.rows("SELECT count(*) FROM skytrail_dag_run WHERE run_type = 'scheduled'")
    return int(rows[0][0]) if rows else 0


CASE = Case(id="C3", title="Beat: none, one, three", inject=inject, goals=goals, in_short=False)
