"""Saving a DAG. Every door ends here: REST, the admin, files and the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Min
from django.db.models.functions import Now

from dags_app.actions.pauses import note_pause
from dags_app.actions.versions import freeze
from dags_app.domain.spec import DagSpec, checksum
from dags_app.domain.tasks import TaskFields
from dags_app.domain.timing import catchup
from dags_app.domain.timing import definition as timing
from dags_app.models import Dag, DagSource, DagVersion, Task, TaskDependency
from dags_app.models.task import SETTINGS
from skytrail.database.clock import database_now
from skytrail.errors import Conflict, Invalid


class DagExists(Conflict):
    """There is a DAG named {dag_id} already. Change it with PUT, or choose another name."""


class DefinedByFile(Conflict):
    """The DAG {dag_id} comes from the file {file}{commit}: change it there, for syncing would undo
    any other change. Pausing and triggering work here too.
    """


class NotToCome(Invalid):
    """A version can hold from a time to come only."""


class NameMismatch(Invalid):
    """The definition names another DAG than the one that is to be changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The file that a definition comes from: its path below a folder that is synced."""

    root: str
    path: str
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Saved:
    """What saving came to. `version_is_new` is false where the meaning was the same as before."""

    dag: Dag
    version: DagVersion
    version_is_new: bool


@transaction.atomic
def create(*, spec: DagSpec, author: str, source: DagSource, origin: Origin | None = None) -> Saved:
    """A new DAG with its first version. Raises `DagExists`."""
    dag = Dag(dag_id=spec.name)
    try:
        with transaction.atomic():
            dag.save()
    except IntegrityError:
        raise DagExists(dag_id=spec.name) from None
    dag.refresh_from_db()
    return _save(dag, spec, author=author, source=source, origin=origin)


@transaction.atomic
def replace(
    *,
    dag: Dag,
    spec: DagSpec,
    author: str,
    source: DagSource,
    origin: Origin | None = None,
    effective_from: datetime | None = None,
    note: str = "",
) -> Saved:
    """Gives `dag` another definition. Freezes a version if, and only if, the meaning changed.

    With `effective_from`, a time to come, everything stays as it is until then. `note` says for
    people what the version is about. Raises `DefinedByFile` where a file defines it, unless a file
    is the `origin` of this one too; `NotToCome` for a time that has passed.
    """
    if spec.name != dag.dag_id:
        raise NameMismatch.because(
            "name", "name_mismatch", f"this DAG is named {dag.dag_id!r}; a DAG keeps its name"
        )
    locked = Dag.objects.select_for_update(no_key=True).select_related(None).get(pk=dag.pk)
    if origin is None:
        check_free(locked)
    if effective_from is not None:
        return _save_for_later(
            locked, spec, author=author, source=source, note=note, at=effective_from
        )
    return _save(locked, spec, author=author, source=source, origin=origin, note=note)


def check_free(dag: Dag) -> None:
    """Raises `DefinedByFile` where a file defines `dag`, and so decides what becomes of it."""
    if dag.is_from_file:
        commit = f" (commit {dag.source_commit})" if dag.source_commit else ""
        file = Path(dag.source_root) / dag.source_path
        raise DefinedByFile(dag_id=dag.dag_id, file=file, commit=commit)


def _save(
    dag: Dag,
    spec: DagSpec,
    *,
    author: str,
    source: DagSource,
    origin: Origin | None,
    note: str = "",
) -> Saved:
    canonical = spec.canonical()
    before = dag.version
    is_new = before is None or before.checksum != checksum(canonical)
    was_paused, schedule_was = dag.paused, _when(dag)
    _take_origin(dag, origin)
    if spec.paused is not None and (before is None or origin is None):
        # A file says it at the beginning only: later it is people who pause and resume.
        dag.paused = spec.paused
    if is_new:
        commit = origin.commit if origin else ""
        version = freeze(
            dag=dag,
            spec=spec,
            canonical=canonical,
            author=author,
            source=source,
            commit=commit,
            note=note,
        )
        _take_version(dag, spec, version, source=source)
    if before is None or _when(dag) != schedule_was or (was_paused and not dag.paused):
        set_next_run(dag)
    dag.save()
    if was_paused != dag.paused or (before is None and dag.paused):
        note_pause(dag, actor=author)
    assert dag.version is not None
    return Saved(dag, dag.version, is_new)


def _save_for_later(
    dag: Dag, spec: DagSpec, *, author: str, source: DagSource, note: str, at: datetime
) -> Saved:
    if at <= database_now():
        raise NotToCome.because(
            "effective_from",
            "not_to_come",
            "this time has passed; give one to come, or leave it out to change the DAG at once",
        )
    canonical = spec.canonical()
    before = (
        dag.versions.filter(effective_from__lte=at).order_by("-effective_from", "-number").first()
    )
    if before is not None and before.checksum == checksum(canonical):
        return Saved(dag, before, version_is_new=False)
    version = freeze(
        dag=dag,
        spec=spec,
        canonical=canonical,
        author=author,
        source=source,
        commit="",
        note=note,
        effective_from=at,
    )
    times = dag.versions.filter(effective_from__gt=Now())
    dag.next_version_at = times.aggregate(first=Min("effective_from"))["first"]
    dag.save(update_fields=["next_version_at", "updated_at"])
    return Saved(dag, version, version_is_new=True)


def take_over(dag: Dag, spec: DagSpec, version: DagVersion) -> None:
    """Makes `dag` what an earlier frozen `version` says, from now on. The caller holds the DAG."""
    schedule_was = _when(dag)
    _take_version(dag, spec, version, source=DagSource(version.source))
    if _when(dag) != schedule_was:
        set_next_run(dag)
    dag.save()


def _take_version(dag: Dag, spec: DagSpec, version: DagVersion, *, source: DagSource) -> None:
    _take_fields(dag, spec)
    dag.source = source
    _write_blueprint(dag, spec.tasks)
    dag.version = version


def _take_origin(dag: Dag, origin: Origin | None) -> None:
    """Notes where it comes from. One that was gone is as it was before."""
    if dag.gone_at is not None:
        dag.paused = dag.paused and dag.paused_before_gone
    dag.gone_at = None
    dag.source_root = origin.root if origin else ""
    dag.source_path = origin.path if origin else ""
    dag.source_commit = origin.commit if origin else ""
    if origin is not None:
        dag.source = DagSource.FILE


def _when(dag: Dag) -> tuple[Any, ...]:
    """All that its next run depends on."""
    return (dag.schedule, dag.timezone, dag.catchup, dag.start_date, dag.end_date)


def set_next_run(dag: Dag) -> None:
    """Where the schedule goes on from now: never a surprise run for the past (see `catchup`)."""
    timetable = dag.timetable
    dag.next_run_at = None
    if timetable is not None:
        dag.next_run_at = catchup.first_run_at(
            timetable,
            now=database_now(),
            start_date=dag.start_date,
            end_date=dag.end_date,
            catchup=dag.catchup,
            last_logical_date=dag.last_logical_date,
        )


def _take_fields(dag: Dag, spec: DagSpec) -> None:
    dag.description = spec.description
    dag.owner = spec.owner
    dag.tags = sorted(set(spec.tags))
    schedule = timing.canonical(spec.schedule)
    if schedule != dag.schedule:
        dag.schedule, dag.schedule_since = schedule, database_now().replace(microsecond=0)
    dag.waits_for = timing.assets_of(spec.schedule)
    dag.timezone = spec.timezone
    dag.start_date = spec.start_date
    dag.end_date = spec.end_date
    dag.catchup = spec.catchup
    dag.catchup_window_seconds = spec.catchup_window_seconds
    dag.overlap_policy = spec.overlap_policy.value
    dag.max_active_runs = spec.max_active_runs
    dag.max_active_tasks = spec.max_active_tasks
    dag.run_timeout_seconds = spec.run_timeout_seconds
    dag.fail_fast = spec.fail_fast
    dag.params = spec.params


def _write_blueprint(dag: Dag, tasks: Sequence[TaskFields]) -> None:
    """Makes the blueprint's rows say what `tasks` say, touching only what differs."""
    kept = {task.task_id: task for task in dag.tasks.all()}
    dag.tasks.exclude(task_id__in=[task.id for task in tasks]).delete()
    new, changed = [], []
    for position, spec in enumerate(tasks):
        row = kept.get(spec.id) or Task(dag=dag, task_id=spec.id)
        values = _columns(spec) | {"position": position}
        if row.task_id not in kept:
            new.append(row)
        elif any(getattr(row, name) != value for name, value in values.items()):
            changed.append(row)
        for name, value in values.items():
            setattr(row, name, value)
    Task.objects.bulk_create(new, batch_size=1000)
    if changed:
        Task.objects.bulk_update(changed, [*_columns(tasks[0]), "position"], batch_size=500)
    _write_edges(dag, tasks)


def _columns(spec: TaskFields) -> dict[str, Any]:
    command = spec.as_command()
    return {
        "description": spec.description,
        "type": command.type.value,
        "parameters": command.parameters(),
        **{name: getattr(spec, name) for name in SETTINGS},
    }


def _write_edges(dag: Dag, tasks: Sequence[TaskFields]) -> None:
    # Read again: keys that the database makes do not come back from a bulk insert.
    key_of = dict(Task.objects.filter(dag=dag).values_list("task_id", "pk"))
    wanted = {(key_of[task.id], key_of[name]) for task in tasks for name in task.depends_on}
    there = {
        (edge.task_id, edge.upstream_id): edge.pk
        for edge in TaskDependency.objects.filter(task__dag=dag)
    }
    gone = [key for pair, key in there.items() if pair not in wanted]
    TaskDependency.objects.filter(pk__in=gone).delete()
    TaskDependency.objects.bulk_create(
        [TaskDependency(task_id=task, upstream_id=up) for task, up in wanted - there.keys()],
        batch_size=1000,
    )
