"""Explanations of rows: the one way for REST, the command line and pages."""

from __future__ import annotations

from datetime import datetime

from dags_app.models import Dag
from runs_app.domain.explaining.reasons import Explanation
from runs_app.domain.explaining.runs import explain_run
from runs_app.domain.explaining.tasks import explain_task
from runs_app.domain.explaining.ticks import explain_tick
from runs_app.models import DagRun, TaskRun
from runs_app.selectors.explaining.of_runs import run_facts
from runs_app.selectors.explaining.of_ticks import schedule_facts


def why_dag(dag: Dag, *, at: datetime | None = None) -> Explanation:
    """What a DAG's schedule did at a time (now), or will do."""
    return explain_tick(schedule_facts(dag, at=at))


def why_run(run: DagRun, *, at: datetime | None = None) -> Explanation:
    """How a run stands, or stood then, and why."""
    return explain_run(run_facts(run, at=at))


def why_task(task: TaskRun, *, at: datetime | None = None) -> Explanation:
    """How a task of a run stands, or stood then, and why."""
    facts = run_facts(task.run, at=at, about=(task.position, task.pk))
    return explain_task(facts, facts.tasks[task.position, task.map_index])
