"""The same work done by Skytrail. Its models can be used once its installation is known."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from uuid import UUID

import httpx
from django.db import connection

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
    began = time.perf_counter()
    runs = [launch(dag, RunRequest(), actor=ACTOR).run_pk for _ in range(case.runs)]
    _wait_for_success(runs)
    return time.perf_counter() - began


def delay(installation: Installation, client: httpx.Client, dag: Dag) -> float:
    """The seconds from a REST call to the start of the run's one task, by this machine's clock."""
    began = time.time()
    answer = client.post(f"{installation.url}/api/v1/dags/{dag.dag_id}/runs", json={})
    answer.raise_for_status()
    run = DagRun.objects.get(dag=dag, run_id=answer.json()["run_id"])
    _wait_for_success([run.pk])
    started = Attempt.objects.get(task_run__run=run).started_at
    return float((started - datetime.fromtimestamp(began, UTC)).total_seconds())


def lone_task(kind: str) -> Dag:
    """A DAG of one task."""
    return save(f"lone_{kind}", single(), kind)


def _wait_for_success(runs: list[UUID]) -> None:
    deadline = time.monotonic() + PATIENCE
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute(
                "SELECT count(*) FILTER (WHERE state = 'success'), count(*) FILTER (WHERE state ="
                " 'failed') FROM skytrail_dag_run WHERE id = ANY(%s)",
                [runs],
            )
            done, failed = cursor.fetchone()
            if failed:
                raise SystemExit("a run failed: see it in the web")
            if done == len(runs):
                return
            time.sleep(0.005)
    raise SystemExit("a run did not end")
