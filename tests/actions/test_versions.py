"""Versions that hold from a time on, going back, and runs by a version of one's choice."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from dags_app.actions import registration, taking_over
from dags_app.actions.registration import DefinedByFile, NotToCome, Origin
from dags_app.actions.rolling_back import roll_back
from dags_app.actions.taking_over import NotPending
from dags_app.domain.parse import parse
from dags_app.models import Dag, DagSource, DagVersion
from runs_app.actions import scheduling
from runs_app.actions.launching import RunRequest, launch
from runs_app.models import DagRun, TaskRun
from tests.factories import document, save_dag
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("committing")

SOON = timedelta(hours=1)


def save(dag: Dag, *tasks: str, at: datetime | None = None, **fields: Any) -> DagVersion:
    """Saves a definition with these tasks, to hold from `at` on."""
    spec = parse(document({task: [] for task in tasks}, name=dag.dag_id, **fields))
    saved = registration.replace(
        dag=dag, spec=spec, author="user:alice", source=DagSource.API, effective_from=at
    )
    return saved.version


def tasks_of(run_pk: UUID) -> set[str]:
    return set(TaskRun.objects.filter(run=run_pk).values_list("task_id", flat=True))


def time_comes(version: DagVersion) -> None:
    """As if the version's time had come. Versions are never changed, but by a test."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE skytrail_dag_version DISABLE TRIGGER never_changed")
        cursor.execute(
            "UPDATE skytrail_dag_version SET effective_from = clock_timestamp() WHERE id = %s",
            [version.pk],
        )
        cursor.execute("ALTER TABLE skytrail_dag_version ENABLE TRIGGER never_changed")
        cursor.execute(
            "UPDATE skytrail_dag SET next_version_at = clock_timestamp() WHERE id = %s",
            [version.dag_id],
        )


def test_until_its_time_everything_stays_as_it_is() -> None:
    dag = save_dag({"a": []}, schedule="0 6 * * *")
    later = save(dag, "a", "b", at=timezone.now() + SOON, schedule="0 7 * * *")
    dag.refresh_from_db()
    assert dag.next_version_at == later.effective_from
    assert dag.version is not None
    assert dag.version.number == 1
    assert dag.tasks.count() == 1
    assert taking_over.take_over_due() == 0
    assert tasks_of(launch(dag, RunRequest(), actor="x").run_pk) == {"a"}


def test_when_its_time_has_come_it_takes_over_whole() -> None:
    dag = save_dag({"a": []}, schedule="0 6 * * *")
    later = save(dag, "b", at=timezone.now() + SOON, schedule="0 7 * * *")
    time_comes(later)
    assert taking_over.take_over_due() == 1
    dag.refresh_from_db()
    assert dag.version_id == later.pk
    assert dag.next_version_at is None
    assert list(dag.tasks.values_list("task_id", flat=True)) == ["b"]
    assert dag.next_run_at is not None
    assert dag.next_run_at.astimezone(UTC).hour == 7
    assert taking_over.take_over_due() == 0


def test_the_schedule_uses_it_from_its_time_on() -> None:
    dag = save_dag({"a": []}, schedule="* * * * *")
    later = save(dag, "b", at=timezone.now() + SOON, schedule="* * * * *")
    time_comes(later)
    tick = timezone.now().replace(second=0, microsecond=0)
    Dag.objects.filter(pk=dag.pk).update(next_run_at=tick)
    scheduling.tick()
    assert tasks_of(DagRun.objects.get().pk) == {"b"}


def test_a_run_that_is_asked_for_does_not_wait_for_the_job() -> None:
    dag = save_dag({"a": []})
    time_comes(save(dag, "b", at=timezone.now() + SOON))
    dag.refresh_from_db()
    assert tasks_of(launch(dag, RunRequest(), actor="x").run_pk) == {"b"}


def test_several_take_over_in_the_order_of_their_times() -> None:
    dag = save_dag({"a": []})
    second = save(dag, "c", at=timezone.now() + 2 * SOON)
    first = save(dag, "b", at=timezone.now() + SOON)
    dag.refresh_from_db()
    assert dag.next_version_at == first.effective_from
    time_comes(first)
    taking_over.take_over_due()
    dag.refresh_from_db()
    assert (dag.version_id, dag.next_version_at) == (first.pk, second.effective_from)
    time_comes(second)
    taking_over.take_over_due()
    dag.refresh_from_db()
    assert dag.version_id == second.pk


def test_what_is_saved_meanwhile_holds_until_then() -> None:
    dag = save_dag({"a": []})
    later = save(dag, "b", at=timezone.now() + SOON)
    now = save(dag, "c")
    dag.refresh_from_db()
    assert (dag.version_id, now.number) == (now.pk, 3)
    assert dag.next_version_at == later.effective_from
    time_comes(later)
    taking_over.take_over_due()
    dag.refresh_from_db()
    assert dag.version_id == later.pk


def test_what_would_hold_then_anyway_is_no_new_version() -> None:
    dag = save_dag({"a": []})
    save(dag, "b", at=timezone.now() + SOON)
    assert save(dag, "b", at=timezone.now() + 2 * SOON).number == 2
    assert save(dag, "a", at=timezone.now() + 2 * SOON).number == 3


def test_one_can_be_withdrawn_before_its_time() -> None:
    dag = save_dag({"a": []})
    later = save(dag, "b", at=timezone.now() + SOON)
    taking_over.withdraw(dag, later)
    dag.refresh_from_db()
    assert dag.next_version_at is None
    assert dag.versions.count() == 1
    first = dag.versions.get()
    with pytest.raises(NotPending, match="roll back"):
        taking_over.withdraw(dag, first)


def test_a_time_that_has_passed_is_refused() -> None:
    dag = save_dag({"a": []})
    with pytest.raises(NotToCome) as refused:
        save(dag, "b", at=timezone.now())
    (problem,) = refused.value.problems
    assert problem.path == "effective_from"
    assert dag.versions.count() == 1


def test_two_dispatchers_change_it_over_once() -> None:
    dag = save_dag({"a": []})
    later = save(dag, "b", at=timezone.now() + SOON)
    time_comes(later)
    changed: list[int] = []

    def work() -> None:
        try:
            changed.append(taking_over.take_over_due())
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(changed) == 4, what="all have looked")
    for thread in threads:
        thread.join()
    assert sum(changed) == 1


# ---------------------------------------------------------------- going back


def test_rolling_back_freezes_the_old_definition_anew() -> None:
    dag = save_dag({"a": []})
    save(dag, "b")
    first = dag.versions.get(number=1)
    saved = roll_back(dag, first, author="user:bob", source=DagSource.ADMIN)
    assert saved.version.number == 3
    assert saved.version.checksum == first.checksum
    assert (saved.version.author, saved.version.note) == ("user:bob", "rolls back to version 1")
    assert list(saved.dag.tasks.values_list("task_id", flat=True)) == ["a"]
    again = roll_back(dag, first, author="user:bob", source=DagSource.ADMIN)
    assert (again.version.number, again.version_is_new) == (3, False)


def test_rolling_back_neither_pauses_nor_resumes() -> None:
    dag = save_dag({"a": []}, paused=True)
    save(dag, "b", paused=False)
    roll_back(dag, dag.versions.get(number=1), author="x", source=DagSource.API)
    dag.refresh_from_db()
    assert not dag.paused


def test_what_a_file_defines_is_not_rolled_back() -> None:
    dag = save_dag({"a": []})
    spec = parse(document({"b": []}))
    origin = Origin(root="/dags", path="story.yaml")
    registration.replace(dag=dag, spec=spec, author="x", source=DagSource.FILE, origin=origin)
    with pytest.raises(DefinedByFile, match=r"story\.yaml"):
        roll_back(dag, dag.versions.get(number=1), author="x", source=DagSource.API)


# ---------------------------------------------------------------- by an older one


def test_a_run_can_use_another_version_than_the_one_that_holds() -> None:
    dag = save_dag({"a": []}, params={"day": 1})
    first = dag.version
    save(dag, "b", params={"hour": 2})
    dag.refresh_from_db()
    run = launch(dag, RunRequest(version=first), actor="x").run()
    assert tasks_of(run.pk) == {"a"}
    assert run.conf == {"day": 1}
    assert run.version == first
