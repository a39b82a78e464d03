"""What the database refuses, whoever asks."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from runs_app.actions.retention import prune
from runs_app.domain.states import ALLOWED, RUN_ALLOWED, RunState, TaskState
from runs_app.models import DagRun, TaskRun, Transition
from tests.conveyor import Conveyor
from tests.factories import save_dag, start_run, task


def _database_allows(
    function: str, states: type[TaskState] | type[RunState]
) -> set[tuple[str, str]]:
    pairs = [(str(a), str(b)) for a, b in itertools.product(states, states)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT a, b FROM unnest(%s::text[], %s::text[]) AS p (a, b) WHERE {function}(a, b)",
            [[a for a, _ in pairs], [b for _, b in pairs]],
        )
        return set(cursor.fetchall())


@pytest.mark.django_db
def test_the_database_knows_the_same_moves_as_the_code() -> None:
    tasks = {(str(a), str(b)) for a, after in ALLOWED.items() for b in after}
    runs = {(str(a), str(b)) for a, after in RUN_ALLOWED.items() for b in after}
    assert _database_allows("skytrail_task_may_move", TaskState) == tasks
    assert _database_allows("skytrail_run_may_move", RunState) == runs


@pytest.mark.django_db
class TestWithARun:
    @pytest.fixture(autouse=True)
    def _run(self) -> None:
        self.run = start_run(save_dag({"a": [], "b": ["a"]}))

    def refuses(self, match: str, **changes: object) -> None:
        rows = TaskRun.objects.filter(run=self.run, task_id="a")
        with pytest.raises(IntegrityError, match=match), transaction.atomic():
            rows.update(**changes)

    def test_a_move_that_is_not_in_the_table_is_refused(self) -> None:
        self.refuses("may not move from queued to success", state="success", finished_at=Now())

    def test_an_epoch_never_falls(self) -> None:
        self.refuses("may not fall", epoch=F("epoch") - 1)

    def test_a_state_is_final_if_and_only_if_it_has_an_end(self) -> None:
        self.refuses("task_run_finished_iff_final", state="cancelled")
        self.refuses("task_run_finished_iff_final", finished_at=Now())

    def test_what_runs_has_a_lease_and_nothing_else_has(self) -> None:
        self.refuses("task_run_leased_iff_running", state="running")
        self.refuses("task_run_leased_iff_running", lease_expires_at=Now())

    def test_a_final_state_is_left_only_with_a_new_epoch(self) -> None:
        TaskRun.objects.filter(run=self.run).update(state="cancelled", finished_at=Now())
        self.refuses("only with a new epoch", state="waiting", finished_at=None)

    def test_a_run_moves_only_along_the_table(self) -> None:
        with pytest.raises(IntegrityError, match="may not move"), transaction.atomic():
            DagRun.objects.update(state="queued")

    def test_history_is_only_added_to(self) -> None:
        with pytest.raises(IntegrityError, match="only added to"), transaction.atomic():
            Transition.objects.update(reason="nicer")
        with pytest.raises(IntegrityError, match="only added to"), transaction.atomic():
            Transition.objects.all().delete()


@pytest.mark.usefixtures("committing")
def test_retention_forgets_what_ended_long_ago_and_only_that(conveyor: Conveyor) -> None:
    dag = save_dag({"a": []})
    old, fresh = start_run(dag), start_run(dag)
    conveyor.run()
    under_way = start_run(dag)
    DagRun.objects.filter(pk=old.pk).update(finished_at=Now() - timedelta(days=40))
    assert prune(keep=timedelta(days=30)) == 1
    assert set(DagRun.objects.all()) == {fresh, under_way}
    assert not Transition.objects.filter(run=old.pk).exists()
    assert task(fresh, "a").state == "success"
