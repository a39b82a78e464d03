"""Which runs a backfill has to reckon with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dags_app.models import Dag
from runs_app.domain.states import RUN_UNFINISHED
from runs_app.models import DagRun, RunType

_OF_THE_CLOCK = [RunType.SCHEDULED, RunType.BACKFILL]


def runs_at(dag: Dag, dates: Sequence[datetime]) -> dict[datetime, DagRun]:
    """The runs that the clock has made for these dates."""
    runs = DagRun.objects.filter(dag=dag, run_type__in=_OF_THE_CLOCK, logical_date__in=dates)
    return {run.logical_date: run for run in runs if run.logical_date is not None}


def unfinished_runs(dag: Dag) -> int:
    """How many of the DAG's runs have not ended, whoever has started them."""
    return DagRun.objects.filter(dag=dag, state__in=sorted(RUN_UNFINISHED)).count()
