"""The same work done by Skytrail. Its models can be used once its installation is known."""

from __future__ import annotations

import time
from uuid import UUID

import httpx

from benchmarks.cases import Case, document, single
from benchmarks.installation import Installation
from dags_app.actions import registration
from dags_app.domain.parse import parse
from dags_app.models import Dag, DagSource
from runs_app.actions.launching import RunRequest, launch
from runs_app.models import Attempt, DagRun

ACTOR = "benchmark"
PATIENCE = 300.0


def save(name: str, graph: dict[str, list[str]], kind: str) -> Dag:
    """Registers a DAG of this shape."""
    return registration.create(
        spec=parse(document(name, graph, kind)), author=ACTOR, source=DagSource.API
    ).dag


def measure(case: Case, dag: Dag) -> float:
    """The seconds from the first run's launch to the last one's end, all states in Postgres."""
    began = time.time()
    runs = [launch(dag, RunRequest(), actor=ACTOR).run_pk for _ in range(case.runs)]
    return _end_of(runs) - began


def delay(installation: Installation, client: httpx.Client, dag: Dag) -> float:
    """The seconds from a REST call to the start of the run's one task."""
    began = time.time()
    answer = client.post(f"{installation.url}/api/v1/dags/{dag.dag_id}/runs", json={})
    answer.raise_for_status()
    run = DagRun.objects.get(dag=dag, run_id=answer.json()["run_id"])
    _end_of([run.pk])
    started = Attempt.objects.get(task_run__run=run).started_at
    assert started is not None
    return float(started.timestamp()) - began


def lone_task(kind: str) -> Dag:
    """A DAG of one task."""
    return save(f"lone_{kind}", single(), kind)


def _end_of(runs: list[UUID]) -> float:
    """When the last of them ended, as seconds since the epoch.

    By the database's clock, which is this machine's: so it can be looked at rarely enough not to
    be in the way of what is measured.
    """
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        rows = DagRun.objects.filter(pk__in=runs).values_list("state", "finished_at")
        ends = [at.timestamp() for state, at in rows if at and state == "success"]
        if len(ends) == len(runs):
            return max(ends)
        if any(state == "failed" for state, _ in rows):
            raise SystemExit("a run failed: see it in the web")
        time.sleep(0.05)
    raise SystemExit("a run did not end")
