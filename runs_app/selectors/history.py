"""A DAG's runs, counted and listed."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count

from dags_app.models import Dag
from runs_app.domain.states import RunState
from runs_app.models import DagRun
from runs_app.selectors.runs import shown

#: Runs shown with a DAG's status.
LATEST = 25


@dataclass(frozen=True, slots=True)
class RunHistory:
    """How many runs a DAG has in each state, and its latest ones, newest first."""

    counts: dict[str, int]
    latest: list[DagRun]


def history_of(dag: Dag) -> RunHistory:
    """The history of a DAG, in two queries."""
    runs = DagRun.objects.filter(dag=dag)
    counted = runs.values("state").annotate(count=Count("pk"))
    counts = {row["state"]: row["count"] for row in counted}
    return RunHistory(
        counts={state.value: counts.get(state, 0) for state in RunState},
        latest=list(shown(runs).order_by("-queued_at", "-id")[:LATEST]),
    )
