"""A DAG with a past for the pages to show, with names that want to be more than text."""

from __future__ import annotations

from datetime import UTC, datetime

from runs_app.actions import backfilling
from runs_app.models import Approval, DagRun, Pool, SkippedTick, TaskRun, Worker
from skytrail.database.clock import database_now
from skytrail.security.secrets import keeping
from skytrail.security.secrets.values import ConnectionValue
from tests.dead_letters import kill
from tests.factories import import_error, save_dag, start_run
from tests.web.pages import Scene

#: What must never be more than text: markup, attributes, terminal links, other directions, long.
HOSTILE = (
    "<script>alert(1)</script>\"' onmouseover=alert(2) "
    "\x1b]8;;https://evil.example\x07link\x1b]8;;\x07 \u202egnp.exe "
)
LONG = "w" * 10_000


def scene() -> Scene:
    """A DAG of two versions; a run that failed, one that waits, and everything beside it."""
    save_dag({"load": []}, name="shop", cron="@daily", description=HOSTILE)
    graph = {"load": [], "check": ["load"], "publish": ["check"]}
    dag = save_dag(
        graph,
        name="shop",
        cron="@daily",
        description=HOSTILE + LONG[:9_000],
        owner=HOSTILE[:200],
        tags=[HOSTILE[:90], "b"],
        params={"who": {"type": "string", "default": HOSTILE, "description": HOSTILE}},
    )
    run = start_run(dag, run_id="first", conf={"who": HOSTILE})
    kill(run, "load", message=HOSTILE + LONG, log=f"{HOSTILE}\n{LONG}\n")
    start_run(dag, run_id="second")
    day = datetime(2026, 1, 1, tzinfo=UTC)
    request = backfilling.BackfillRequest(from_date=day, to_date=datetime(2026, 1, 3, tzinfo=UTC))
    made = backfilling.create(dag, request, actor=f"user:{HOSTILE[:100]}")
    SkippedTick.objects.create(dag=dag, logical_date=day, reason="a run had not ended")
    Pool.objects.create(name="p", slots=5, description=HOSTILE)
    Worker.objects.create(
        name=f"w@{HOSTILE[:60]}", hostname="h", pid=1, queues=["default"], concurrency=2,
        last_heartbeat=database_now(),
    )  # fmt: skip
    value = ConnectionValue(conn_id="c", conn_type="http", host="h")
    keeping.keep_connection(value, description=HOSTILE[:100])
    return Scene(
        dag_id="shop",
        run_id="first",
        task_id="load",
        dag_key=dag.pk,
        approval=_approval(run).pk,
        backfill=made.pk,
        import_error=import_error().pk,
    )


def _approval(run: DagRun) -> Approval:
    """A question that nobody waits for any more."""
    task = TaskRun.objects.get(run=run, task_id="publish")
    return Approval.objects.create(
        task_run=task, attempt=1, subject=HOSTILE, body=HOSTILE + LONG, options=["yes", "no"]
    )
