"""DAGs as rows: the same that saving them writes, many at a time.

`dags_app/actions/registration.py` and `versions.py` are what this has to agree with; a test saves
the same definition through both.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Model

from dags_app.domain.commands import SensorCommand, TaskType, digest_of
from dags_app.domain.spec import FORMAT, DagSpec, checksum
from dags_app.domain.tasks import TaskFields, TriggerRule
from dags_app.domain.timing import catchup
from dags_app.domain.timing import definition as timing
from dags_app.domain.timing.schedule import Timetable
from dags_app.models import (
    Command,
    Dag,
    DagPause,
    DagSource,
    DagVersion,
    Task,
    TaskDependency,
    VersionTask,
)
from dags_app.models.task import SETTINGS
from skytrail.cli.seeding.chance import Chance
from skytrail.cli.seeding.copying import copy_models
from skytrail.cli.seeding.graphs import Seeded, Step, Version, graph_of, values_of
from skytrail.cli.seeding.moments import moment


def frozen(
    spec: DagSpec,
    *,
    number: int,
    since: int,
    note: str,
    chance: Chance,
    speed: float,
    usual: dict[str, float],
) -> Version:
    """A version of a DAG, whose tasks usually take about `speed` seconds each.

    `usual` knows how long each took in earlier versions, and learns it of new ones.
    """
    tasks = spec.in_order()
    graph = graph_of(tasks)
    steps = []
    for task, node in zip(tasks, graph.nodes, strict=True):
        before = node.upstream
        rides = (
            len(before) == 1
            and len(graph.downstream[before[0]]) == 1
            and node.trigger_rule is TriggerRule.ALL_SUCCESS
            and not (node.is_gated or node.is_mapped)
            and not (graph.nodes[before[0]].is_gated or graph.nodes[before[0]].is_mapped)
        )
        steps.append(
            Step(
                node=node,
                key=chance.key(since),
                values=tuple(json.dumps(each) for each in values_of(task)),
                choices=tuple(
                    graph.nodes[after].task_id for after in graph.downstream[node.position]
                )
                if node.is_branch
                else (),
                rides=rides,
                pokes=40 if isinstance(task.as_command(), SensorCommand) else 0,
                median=0.01
                if task.type in {TaskType.EMPTY, TaskType.BRANCH, TaskType.FILE_SENSOR}
                else usual.setdefault(task.id, speed * chance.uniform(0.3, 1.8)),
                retries=task.retries,
                retry_delay=task.retry_delay_seconds,
                queue=task.queue,
                pool=task.pool,
                pool_slots=task.pool_slots,
                priority=task.priority,
                type=task.type,
                outlets=tuple(task.outlets),
            )
        )
    return Version(chance.key(since), number, spec, since, note, steps, graph)


def timetable_of(spec: DagSpec, since: datetime) -> Timetable | None:
    """The schedule of a DAG that has had it `since` then."""
    return timing.timetable(spec.schedule, timezone=spec.timezone, anchor=spec.start_date or since)


@dataclass(slots=True)
class _Rows:
    dags: list[Dag] = field(default_factory=list)
    versions: list[DagVersion] = field(default_factory=list)
    version_tasks: list[VersionTask] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    edges: list[TaskDependency] = field(default_factory=list)
    pauses: list[DagPause] = field(default_factory=list)
    commands: dict[str, Command] = field(default_factory=dict)


def write(dags: Iterable[Seeded], *, now: datetime, chance: Chance) -> None:
    """Writes `dags` with their versions and blueprints. The caller holds the transaction."""
    rows = _Rows()
    for dag in dags:
        _add(rows, dag, now=now, chance=chance)
    Command.objects.bulk_create(rows.commands.values(), batch_size=2000, ignore_conflicts=True)
    of_models: tuple[Sequence[Model], ...] = (
        rows.dags,
        rows.versions,
        rows.version_tasks,
        rows.tasks,
        rows.edges,
        rows.pauses,
    )
    for of_model in of_models:
        copy_models(of_model)


def _add(rows: _Rows, dag: Seeded, *, now: datetime, chance: Chance) -> None:
    latest = dag.versions[-1]
    rows.dags.append(_dag_row(dag, now=now))
    for version in dag.versions:
        rows.versions.append(_version_row(dag, version))
        rows.version_tasks.extend(_version_tasks(version, rows.commands))
    if dag.paused_since is not None:
        rows.pauses.append(
            DagPause(
                id=UUID(chance.key(dag.paused_since)),
                dag_id=UUID(dag.key),
                paused_at=moment(dag.paused_since),
                paused_by=f"user:{dag.spec.owner}",
            )
        )
    keys = {}
    for position, task in enumerate(dag.spec.tasks):
        keys[task.id] = key = UUID(chance.key(latest.since))
        rows.tasks.append(_blueprint(key, dag, task, position))
    rows.edges.extend(
        TaskDependency(
            id=UUID(chance.key(latest.since)), task_id=keys[task.id], upstream_id=keys[name]
        )
        for task in dag.spec.tasks
        for name in sorted(task.depends_on)
    )


def _dag_row(dag: Seeded, *, now: datetime) -> Dag:
    spec, born = dag.spec, moment(dag.born)
    timetable = timetable_of(spec, born.replace(microsecond=0))
    last = None if dag.last_tick is None else moment(dag.last_tick)
    row = Dag(
        id=UUID(dag.key),
        dag_id=spec.name,
        description=spec.description,
        owner=spec.owner,
        tags=sorted(set(spec.tags)),
        paused=dag.paused_since is not None,
        schedule=timing.canonical(spec.schedule),
        schedule_since=born.replace(microsecond=0) if spec.schedule is not None else None,
        waits_for=timing.assets_of(spec.schedule),
        timezone=spec.timezone,
        start_date=spec.start_date,
        end_date=spec.end_date,
        catchup=spec.catchup,
        catchup_window_seconds=spec.catchup_window_seconds,
        overlap_policy=spec.overlap_policy.value,
        max_active_runs=spec.max_active_runs,
        max_active_tasks=spec.max_active_tasks,
        run_timeout_seconds=spec.run_timeout_seconds,
        fail_fast=spec.fail_fast,
        params=spec.params,
        source=DagSource.API,
        version_id=UUID(dag.versions[-1].key),
        last_logical_date=last,
        created_at=born,
        updated_at=moment(dag.versions[-1].since),
    )
    if timetable is not None:
        row.next_run_at = catchup.first_run_at(
            timetable,
            now=now,
            start_date=spec.start_date,
            end_date=spec.end_date,
            catchup=spec.catchup,
            last_logical_date=last,
        )
    return row


def _version_row(dag: Seeded, version: Version) -> DagVersion:
    canonical = version.spec.canonical()
    return DagVersion(
        id=UUID(version.key),
        dag_id=UUID(dag.key),
        number=version.number,
        format=FORMAT,
        spec=canonical,
        checksum=checksum(canonical),
        fail_fast=version.spec.fail_fast,
        author=f"user:{version.spec.owner}",
        source=DagSource.API,
        commit="",
        note=version.note,
        effective_from=moment(version.since),
        created_at=moment(version.since),
    )


def _version_tasks(version: Version, commands: dict[str, Command]) -> Iterable[VersionTask]:
    by_id: dict[str, TaskFields] = {task.id: task for task in version.spec.tasks}
    for step in version.steps:
        task = by_id[step.node.task_id]
        canonical = task.as_command().canonical()
        digest = digest_of(canonical)
        commands.setdefault(digest, Command(digest=digest, canonical=canonical))
        yield VersionTask(
            id=UUID(step.key),
            version_id=UUID(version.key),
            position=step.node.position,
            task_id=task.id,
            type=task.type.value,
            command_id=digest,
            stops_all=getattr(task, "ignore_downstream_trigger_rules", False),
            is_gated=task.pool is not None or version.spec.max_active_tasks is not None,
            upstream=list(step.node.upstream),
            **_settings(task),
        )


def _blueprint(key: UUID, dag: Seeded, task: TaskFields, position: int) -> Task:
    command = task.as_command()
    return Task(
        id=key,
        dag_id=UUID(dag.key),
        task_id=task.id,
        description=task.description,
        type=command.type.value,
        parameters=command.parameters(),
        position=position,
        **_settings(task),
    )


def _settings(task: TaskFields) -> dict[str, Any]:
    return {name: getattr(task, name) for name in SETTINGS}
