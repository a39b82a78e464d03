"""A project's Celery tasks, as they are, as the steps of a DAG."""

from __future__ import annotations

from pathlib import Path

from dags_app.authoring.importing import dag_in
from tests.acceptance.conftest import Installation
from tests.house.source import ROOT

TASKS = "examples.coming_from.celery_tasks"
DAG = ROOT / "examples" / "coming_from" / "celery_dag.py"


def test_a_worker_that_knows_the_projects_tasks_runs_the_dag(installation: Installation) -> None:
    installation.start_worker("biller", queues="invoices", SKYTRAIL_TASK_MODULES=TASKS)
    dag = dag_in(Path(DAG)).document()
    tasks = [{**task, "queue": "invoices"} for task in dag["tasks"]]
    installation.save(dag["name"], tasks)
    run_id = installation.trigger(dag["name"], logical_date="2026-01-31T01:00:00Z")
    assert installation.wait_for_end(dag["name"], run_id)["state"] == "success"
    assert installation.output(dag["name"], run_id, "add_up") == 62
    told = installation.output(dag["name"], run_id, "tell_accounting")
    assert told == "accounting: 62 have been invoiced"
