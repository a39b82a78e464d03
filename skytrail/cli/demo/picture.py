"""A run that is over, from its rows, as the tree shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runs_app.models import DagRun, TaskRun
from runs_app.selectors.logs import Position, chunks_after
from runs_app.selectors.outputs import outputs_of
from runs_app.selectors.tasks import tasks_of
from skytrail.cli.tree import RunShown, TaskShown, TryShown, why_not


def picture_of(run: DagRun) -> RunShown:
    """The run with its tasks; instances of mapped tasks stand among them."""
    tasks = list(tasks_of(run))
    outputs = outputs_of(run.pk, {task.task_id for task in tasks})
    specs = {task["id"]: task for task in run.version.spec["tasks"]}
    began = run.started_at or run.queued_at
    return RunShown(
        name=run.dag.dag_id,
        state=run.state,
        took=(run.finished_at - began).total_seconds() if run.finished_at else None,
        tasks=[_shown(run, task, tasks, specs, outputs) for task in tasks],
    )


def _shown(
    run: DagRun,
    task: TaskRun,
    tasks: list[TaskRun],
    specs: Mapping[str, dict[str, Any]],
    outputs: Mapping[str, Any],
) -> TaskShown:
    attempts = list(task.attempts.all())
    first = attempts[0].started_at if attempts and task.finished_at else None
    run_began = run.started_at or run.queued_at
    spec = specs[task.task_id]
    before = [other for other in tasks if other.task_id in spec.get("depends_on", [])]
    return TaskShown(
        name=task.task_id if task.map_index < 0 else f"{task.task_id}[{task.map_index}]",
        state=task.state,
        began=(first - run_began).total_seconds() if first else None,
        took=(task.finished_at - first).total_seconds() if task.finished_at and first else None,
        tries=[TryShown(each.number, each.state, each.message) for each in attempts],
        why=why_not(((o.task_id, o.state, o.chosen) for o in before), task.task_id),
        log="".join(text for _, text in chunks_after(task, task.attempt, Position())),
        output=outputs.get(task.task_id) if task.map_index < 0 else None,
        group=spec.get("group"),
    )
