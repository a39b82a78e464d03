"""DAGs and runs for tests, in as few words as the test needs."""

from __future__ import annotations

import io
from typing import Any

from django.utils import timezone

from dags_app.actions import registration
from dags_app.actions.registration import Origin
from dags_app.domain.parse import parse
from dags_app.models import Dag, DagImportError, DagSource
from runs_app.actions.launching import RunRequest, launch
from runs_app.models import Artifact, DagRun, TaskRun
from runs_app.selectors.artifacts import artifact_store
from skytrail.database.clock import database_now

#: A graph as `{"task": ["upstream", …]}`.
Graph = dict[str, list[str]]


def document(graph: Graph, /, *, name: str = "story", **fields: Any) -> dict[str, Any]:
    """A definition with empty tasks. `tasks={"a": {...}}` adds to single tasks."""
    details: dict[str, dict[str, Any]] = fields.pop("tasks", {})
    tasks = [
        {"id": task, "depends_on": upstream, **details.get(task, {})}
        for task, upstream in graph.items()
    ]
    return {"name": name, "tasks": tasks, **fields}


def save_dag(graph: Graph, /, **fields: Any) -> Dag:
    """A saved DAG; an existing one of that name is replaced."""
    spec = parse(document(graph, **fields))
    existing = Dag.objects.present().filter(dag_id=spec.name).first()
    if existing:
        return registration.replace(
            dag=existing, spec=spec, author="user:alice", source=DagSource.API
        ).dag
    return registration.create(spec=spec, author="user:alice", source=DagSource.API).dag


def save_from_file(graph: Graph, /, *, path: str = "etl/story.py", **fields: Any) -> Dag:
    """A new DAG as syncing the folder /srv/dags saves it."""
    origin = Origin(root="/srv/dags", path=path, commit="4f2a9c1e")
    return registration.create(
        spec=parse(document(graph, **fields)),
        author="cli:alice",
        source=DagSource.FILE,
        origin=origin,
    ).dag


def import_error(file: str = "bad.py") -> DagImportError:
    """What syncing has found wrong with a file."""
    return DagImportError.objects.create(
        root="/srv/dags",
        file=file,
        error="ZeroDivisionError: division by zero",
        traceback="Traceback (most recent call last): …",
        line=3,
        timestamp=database_now(),
    )


def start_run(dag: Dag, **request: Any) -> DagRun:
    """A run of `dag` that somebody has asked for."""
    return launch(dag, RunRequest(**request), actor="user:alice").run()


def states(run: DagRun) -> dict[str, str]:
    """Where each task of the run stands."""
    rows = TaskRun.objects.filter(run=run).order_by("position")
    return dict(rows.values_list("task_id", "state"))


def task(run: DagRun, task_id: str) -> TaskRun:
    """A task of the run, as it is now."""
    return TaskRun.objects.get(run=run, task_id=task_id)


def keep_artifact(task_run: TaskRun, content: bytes, *, name: str = "a", key: str) -> Artifact:
    """An artifact that a task has left under this key, its content in the store."""
    stored = artifact_store().write(key, io.BytesIO(content))
    return Artifact.objects.create(
        task_run=task_run,
        epoch=1,
        name=name,
        media_type="text/html",
        key=key,
        is_output=False,
        size=stored.size,
        sha256=stored.sha256,
        stored_at=timezone.now(),
    )
