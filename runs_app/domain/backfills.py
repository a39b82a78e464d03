"""Making up for a stretch of a schedule: its vocabulary, and what becomes of each date."""

from __future__ import annotations

import enum

from runs_app.domain.states import RunState


class BackfillState(enum.StrEnum):
    """Where a backfill stands."""

    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


#: It may still create runs.
UNFINISHED = frozenset({BackfillState.RUNNING, BackfillState.PAUSED})


class Reprocess(enum.StrEnum):
    """Which runs that are there already are run again; the names are Airflow's."""

    NONE = "none"
    FAILED = "failed"
    COMPLETED = "completed"


class Treatment(enum.StrEnum):
    """What a date comes to."""

    CREATED = "created"
    RERUN = "rerun"
    PASSED_OVER = "passed_over"


def treat(reprocess: Reprocess, there: RunState | None) -> Treatment:
    """What becomes of a date whose run stands so; None: it has none."""
    if there is None:
        return Treatment.CREATED
    if not there.is_final or reprocess is Reprocess.NONE:
        return Treatment.PASSED_OVER
    if reprocess is Reprocess.COMPLETED or there is not RunState.SUCCESS:
        return Treatment.RERUN
    return Treatment.PASSED_OVER
