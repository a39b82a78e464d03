"""Lists: as many queries for fifty rows as for one, and no text breaks them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_celery_beat.models import PeriodicTask

from dags_app.models import Dag, DagImportError
from runs_app.actions import assets, backfilling
from runs_app.models import AssetEvent, Attempt, Backfill, Pool, SkippedTick, TaskRun, Worker
from skytrail.security import tokens
from tests.dead_letters import dead_letter
from tests.factories import import_error, save_dag, start_run
from tests.web.conftest import staff

pytestmark = pytest.mark.django_db


def _dags(count: int) -> None:
    for index in range(Dag.objects.count(), count):
        save_dag({"a": [], "b": ["a"]}, name=f"dag-{index}", tags=[f"tag-{index % 3}"])


def _runs(count: int) -> None:
    _dags(count)
    for dag in Dag.objects.all():
        run = start_run(dag)
        for task_run in TaskRun.objects.filter(run=run):
            Attempt.objects.create(task_run=task_run, epoch=1, number=1, worker="w", state="failed")


def _letters(count: int) -> None:
    for index in range(count):
        dead_letter(f"dag-{index}", run_id=f"run-{count}")


def _skipped(count: int) -> None:
    _dags(count)
    for dag in Dag.objects.all():
        SkippedTick.objects.get_or_create(
            dag=dag, logical_date="2026-01-01T00:00:00Z", reason="a run had not ended"
        )


def _events(count: int) -> None:
    for index in range(AssetEvent.objects.count(), count):
        assets.emit(f"asset-{index}", actor="test")


def _backfills(count: int) -> None:
    day = datetime(2026, 1, 1, tzinfo=UTC)
    for index in range(Backfill.objects.count(), count):
        dag = save_dag({"a": []}, name=f"late-{index}", cron="@daily")
        request = backfilling.BackfillRequest(from_date=day, to_date=day)
        backfilling.create(dag, request, actor="user:root")
    backfilling.advance()


def _pools(count: int) -> None:
    Pool.objects.bulk_create(
        Pool(name=f"p{Pool.objects.count()}-{i}", slots=1) for i in range(count)
    )


def _workers(count: int) -> None:
    start = Worker.objects.count()
    for index in range(start, start + count):
        Worker.objects.create(
            name=f"w{index}", hostname="h", pid=1, concurrency=1,
            last_heartbeat="2026-01-01T00:00:00Z",
        )  # fmt: skip


def _tokens(count: int) -> None:
    from datetime import timedelta

    from django.contrib.auth.models import User

    start = User.objects.count()
    for index in range(start, start + count):
        tokens.issue(user=staff(f"user-{index}"), ttl=timedelta(hours=1))


def _beat(count: int) -> None:
    from django_celery_beat.models import CrontabSchedule

    start = PeriodicTask.objects.count()
    for index in range(start, start + count):
        crontab = CrontabSchedule.objects.create(minute=str(index % 60))
        PeriodicTask.objects.create(name=f"beat-{index}", task="x", crontab=crontab)


def queries(client: Client, page: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(page).status_code == 200
    return len(captured)


def _errors(count: int) -> None:
    for number in range(count):
        import_error(f"{number}-{DagImportError.objects.count()}.py")


LISTS: dict[str, Callable[[int], None]] = {
    "dags_app/dag/": _dags,
    "dags_app/dag/overview/": _dags,
    "dags_app/dagversion/": _dags,
    "dags_app/dagimporterror/": _errors,
    "runs_app/dagrun/": _runs,
    "runs_app/dagrun/recent/": _runs,
    "runs_app/taskrun/": _runs,
    "runs_app/deadletter/": _letters,
    "runs_app/skippedtick/": _skipped,
    "runs_app/assetevent/": _events,
    "runs_app/backfill/": _backfills,
    "runs_app/attempt/": _runs,
    "runs_app/transition/": _runs,
    "runs_app/pool/": _pools,
    "runs_app/worker/": _workers,
    "skytrail_security/apitoken/": _tokens,
    "auth/user/": _tokens,
    "django_celery_beat/periodictask/": _beat,
    "django_celery_beat/crontabschedule/": _beat,
}


@pytest.mark.parametrize("page", LISTS)
def test_fifty_rows_cost_as_many_queries_as_one(root: Client, page: str) -> None:
    fill = LISTS[page]
    fill(1)
    queries(root, f"/admin/{page}")  # content types are read once
    for_one = queries(root, f"/admin/{page}")
    fill(50)

    assert queries(root, f"/admin/{page}") == for_one


@pytest.mark.parametrize("kind", ["dag", "run"])
def test_the_page_of_many_tasks_costs_as_many_queries_as_of_one(root: Client, kind: str) -> None:
    def page(count: int) -> str:
        names = [f"t{index}" for index in range(count)]
        graph = {name: names[:index][-2:] for index, name in enumerate(names)}
        dag = save_dag(graph, name=f"dag-{count}")
        run = start_run(dag)
        return (
            f"/admin/dags_app/dag/{dag.pk}/change/"
            if kind == "dag"
            else f"/admin/runs_app/dagrun/{run.pk}/change/"
        )

    few, many = page(3), page(50)
    queries(root, few)

    assert queries(root, few) == queries(root, many)


@pytest.mark.parametrize("page", LISTS)
@pytest.mark.parametrize(
    "query", ["q=%00", "q=%F0%9F%9A%80%E2%80%AE", "e=1", "p=99999", "q=%27%25"]
)
def test_no_search_breaks_a_list(root: Client, page: str, query: str) -> None:
    assert root.get(f"/admin/{page}?{query}").status_code in {200, 302}


@pytest.mark.parametrize(
    "page",
    ["dags_app/dag/", "runs_app/dagrun/", "runs_app/taskrun/", "runs_app/deadletter/"],
)
def test_no_filter_breaks_a_list(root: Client, page: str) -> None:
    for query in (
        "tag=%00", "state__exact=%00", "state=%00", "dag__id__exact=none", "dag__id__exact=%00",
        "queued_at__gte=never", "nonsense=1", "o=99.x", "source__exact=%00",
        "reason=%00", "reason=nothing", "finished_at__gte=never", "queue__icontains=%25",
    ):  # fmt: skip
        assert root.get(f"/admin/{page}?{query}", follow=True).status_code == 200, query


@pytest.mark.parametrize(
    "key", ["nothing", "%00", "0" * 400, "00000000-0000-0000-0000-000000000000"]
)
@pytest.mark.parametrize("page", ["dags_app/dag", "runs_app/dagrun", "runs_app/taskrun"])
def test_what_is_not_there_is_said(root: Client, page: str, key: str) -> None:
    answer = root.get(f"/admin/{page}/{key}/change/", follow=True)

    assert answer.status_code == 200
    assert "doesn’t exist" in answer.content.decode()


def test_dags_are_found_for_the_filters(root: Client) -> None:
    for name in ("shop", "stock"):
        save_dag({"a": []}, name=name)
    query = "app_label=runs_app&model_name=dagrun&field_name=dag&term=sto"

    answer = root.get(f"/admin/autocomplete/?{query}")

    assert [found["text"] for found in answer.json()["results"]] == ["stock"]
