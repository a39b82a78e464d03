"""Freezing versions: what a run is made from, for as long as the run is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Max
from django.db.models.functions import Now

from dags_app.domain.commands import digest_of
from dags_app.domain.spec import FORMAT, DagSpec, checksum
from dags_app.domain.tasks import TaskFields
from dags_app.models import Command, Dag, DagSource, DagVersion, VersionTask
from dags_app.models.task import SETTINGS


def freeze(
    *,
    dag: Dag,
    spec: DagSpec,
    canonical: dict[str, Any],
    author: str,
    source: DagSource,
    commit: str,
    note: str = "",
    effective_from: datetime | None = None,
) -> DagVersion:
    """The next version of `dag`, with its tasks in topological order. The caller holds the DAG.

    It holds from `effective_from` on, or from now.
    """
    latest = dag.versions.aggregate(latest=Max("number"))["latest"] or 0
    version = DagVersion.objects.create(
        dag=dag,
        number=latest + 1,
        format=FORMAT,
        spec=canonical,
        checksum=checksum(canonical),
        fail_fast=spec.fail_fast,
        author=author,
        source=source,
        commit=commit,
        note=note,
        effective_from=effective_from or Now(),
    )
    tasks = spec.in_order()
    commands = _store_commands(tasks)
    position_of = {task.id: position for position, task in enumerate(tasks)}
    VersionTask.objects.bulk_create(
        [
            VersionTask(
                version=version,
                position=position,
                task_id=task.id,
                type=task.type.value,
                command_id=commands[task.id],
                stops_all=getattr(task, "ignore_downstream_trigger_rules", False),
                is_gated=task.pool is not None or spec.max_active_tasks is not None,
                upstream=sorted({position_of[name] for name in task.depends_on}),
                **{name: getattr(task, name) for name in SETTINGS},
            )
            for position, task in enumerate(tasks)
        ],
        batch_size=1000,
    )
    return version


def _store_commands(tasks: list[TaskFields]) -> dict[str, str]:
    """The digest under which each task's command is stored, by task id."""
    digests: dict[str, str] = {}
    rows: dict[str, Command] = {}
    for task in tasks:
        canonical = task.as_command().canonical()
        digest = digests[task.id] = digest_of(canonical)
        rows.setdefault(digest, Command(digest=digest, canonical=canonical))
    Command.objects.bulk_create(rows.values(), batch_size=1000, ignore_conflicts=True)
    return digests
