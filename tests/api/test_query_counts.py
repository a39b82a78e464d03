"""A list of fifty rows costs as many queries as a list of one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from runs_app.actions import backfilling
from runs_app.models import Pool, SkippedTick, Worker
from runs_app.selectors.history import LATEST
from skytrail.security.secrets import keeping
from skytrail.security.secrets.values import ConnectionValue
from tests.api.checking import CheckedClient
from tests.api.stories import perform, story
from tests.conveyor import failing
from tests.dead_letters import kill
from tests.factories import import_error, save_dag, start_run

Queries = Callable[[Callable[[], Any]], list[str]]


def dags(count: int) -> None:
    for number in range(count):
        story(name=f"dag{number}", tags=["a"], cron="@daily")


def runs(count: int) -> None:
    dag = story()
    for _ in range(count):
        start_run(dag)


def skipped(count: int) -> None:
    dag = story()
    start = timezone.now()
    for number in range(count):
        date = start + timedelta(minutes=number)
        SkippedTick.objects.create(dag=dag, logical_date=date, reason="a run had not ended")


def backfills(count: int) -> None:
    day = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(count):
        dag = save_dag({"a": []}, name=f"dag{number}", cron="@daily")
        request = backfilling.BackfillRequest(from_date=day, to_date=day)
        backfilling.create(dag, request, actor="user:alice")
    backfilling.advance()


def versions(count: int) -> None:
    for number in range(count):
        story(description=f"version {number}")


def tasks(count: int) -> None:
    run = start_run(save_dag({f"t{number}": [] for number in range(count)}), run_id="first")
    for number in range(count):
        perform(run, f"t{number}", failing())


def letters(count: int) -> None:
    run = start_run(save_dag({f"t{number}": [] for number in range(count)}))
    for number in range(count):
        kill(run, f"t{number}")


def errors(count: int) -> None:
    for number in range(count):
        import_error(f"{number}.py")


def pools(count: int) -> None:
    for number in range(count):
        Pool.objects.create(name=f"pool{number}", slots=number)


def workers(count: int) -> None:
    for number in range(count):
        Worker.objects.create(
            name=f"w{number}",
            hostname="one",
            pid=1,
            concurrency=2,
            queues=["default"],
            last_heartbeat=timezone.now(),
        )


def connections(count: int) -> None:
    for number in range(count):
        keeping.keep_connection(ConnectionValue(conn_id=f"c{number}", conn_type="http"))


def variables(count: int) -> None:
    for number in range(count):
        keeping.keep_variable(f"v{number}", "north")


#: Where each list is, what fills it, and how many queries it may cost: two of them are for the
#: token and its user's permissions.
LISTS: dict[str, tuple[Callable[[int], None], int]] = {
    "dags": (dags, 4),
    "runs": (runs, 4),
    "dags/story/runs": (runs, 5),
    "dags/story/skipped-ticks": (skipped, 5),
    "dags/story/status": (runs, 6),
    "dags/story/versions": (versions, 5),
    "dags/story/runs/first/tasks": (tasks, 7),
    "backfills": (backfills, 4),
    "dead-letters": (letters, 5),
    "import-errors": (errors, 4),
    "pools": (pools, 3),
    "workers": (workers, 3),
    "connections": (connections, 3),
    "variables": (variables, 3),
}

#: Lists that an author of DAGs may not see.
OF_ADMINS = {"pools", "workers", "connections", "variables"}


@pytest.mark.parametrize("path", LISTS)
def test_fifty_rows_cost_no_more_queries_than_one(
    path: str, queries: Queries, as_admin: CheckedClient, as_alice: CheckedClient
) -> None:
    fill, at_most = LISTS[path]
    client = as_admin if path in OF_ADMINS else as_alice
    costs = []
    for count in (1, 50):
        with transaction.atomic():
            fill(count)
            shown = client.get(path).json()
            rows = shown["runs"] if path.endswith("status") else shown["results"]
            assert len(rows) >= min(count, LATEST)
            costs.append(queries(lambda: client.get(path)))
            transaction.set_rollback(True)
    one, fifty = costs
    assert len(one) == len(fifty), "\n".join(fifty)
    assert len(fifty) <= at_most, "\n".join(fifty)
