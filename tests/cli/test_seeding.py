"""`skytrail seed`: what it makes up is what Skytrail itself could have written."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import models

from dags_app.actions import registration
from dags_app.domain.commands import digest_of
from dags_app.domain.parse import parse
from dags_app.domain.spec import checksum
from dags_app.domain.timing.schedule import between
from dags_app.models import (
    Command,
    Dag,
    DagPause,
    DagSource,
    DagVersion,
    Task,
    TaskDependency,
    VersionTask,
)
from runs_app.domain import planner
from runs_app.domain.backfills import BackfillState
from runs_app.domain.states import RunState, TaskState
from runs_app.models import Attempt, Backfill, DagRun, TaskRun, Transition
from runs_app.selectors import graphs
from skytrail.cli.seeding import calendar, population
from skytrail.cli.seeding.calendar import Wish
from skytrail.cli.seeding.chance import Chance
from skytrail.cli.seeding.copying import Ledger
from skytrail.cli.seeding.history import COLUMNS, Historian
from skytrail.cli.seeding.moments import micros
from tests.cli.conftest import CommandLine
from tests.factories import save_dag

SMALL = ("seed", "--dags", "20", "--task-runs", "2000", "-o", "json")

WISH = Wish(dags=20, task_runs=2000, days=30, now=datetime(2026, 3, 31, 12, tzinfo=UTC))


@pytest.fixture
def seeded(committing: None, command: CommandLine) -> dict[str, Any]:
    """A small installation that was made up; what the command said of it."""
    return dict(command(*SMALL).json)


def test_fsck_has_nothing_to_say(seeded: dict[str, Any], command: CommandLine) -> None:
    found = command("fsck", "--all", "-o", "json").json
    assert found["breaches"] == []
    assert found["runs"] == seeded["runs"]


def test_it_says_how_many_rows_there_are(seeded: dict[str, Any]) -> None:
    assert seeded["dags"] == Dag.objects.count() == 20
    assert seeded["versions"] == DagVersion.objects.count() > 20
    assert seeded["runs"] == DagRun.objects.count()
    assert seeded["task_runs"] == TaskRun.objects.count()
    assert 1900 <= seeded["task_runs"] <= 2000
    assert seeded["attempts"] == Attempt.objects.count()
    assert seeded["transitions"] == Transition.objects.count()


def test_every_definition_can_be_read_again_and_has_the_sum_that_it_says(
    seeded: dict[str, Any],
) -> None:
    for version in DagVersion.objects.select_related("dag"):
        spec = parse(version.spec)
        assert spec.name == version.dag.dag_id
        assert checksum(spec.canonical()) == version.checksum
    for command in Command.objects.all():
        assert digest_of(command.canonical) == command.digest


def test_runs_stand_as_the_planner_would_have_them(seeded: dict[str, Any]) -> None:
    ended = Counter[RunState]()
    for run in DagRun.objects.all():
        rows = TaskRun.objects.filter(run=run)
        graph = graphs.graph_of(run.version_id)
        plan = planner.plan(
            graph,
            planner.standings_of(
                (
                    row.position,
                    row.map_index,
                    TaskState(row.state),
                    None if row.chosen is None else [graph.position_of[n] for n in row.chosen],
                    row.map_length,
                )
                for row in rows
            ),
        )
        if run.state != RunState.CANCELLED:
            assert plan.ends == run.state, run
        assert not plan.ready
        ended[RunState(run.state)] += 1
    assert ended[RunState.SUCCESS] > ended[RunState.FAILED] > 0


def test_nothing_of_it_starts_by_itself_unless_it_is_live(
    committing: None, command: CommandLine
) -> None:
    command("seed", "--dags", "5", "--task-runs", "50")
    assert not Dag.objects.filter(paused=False).exists()
    assert DagPause.objects.filter(resumed_at=None).count() == 5
    assert not DagRun.objects.filter(finished_at=None).exists()
    command("seed", "--dags", "5", "--task-runs", "50", "--live", "--yes", "--seed", "2")
    live = Dag.objects.filter(paused=False)
    assert live.count() == 5
    kinds = set(Task.objects.filter(dag__in=live).values_list("type", flat=True))
    assert kinds <= {"bash", "branch", "empty"}
    assert not live.filter(next_run_at__lte=datetime.now(UTC)).exists()


def test_a_database_with_dags_is_left_alone(committing: None, command: CommandLine) -> None:
    save_dag({"a": []}, name="ours")
    said = command(*SMALL, expect=5)
    assert said.error["code"] == "not_empty"
    assert "has 1 DAG" in said.error["message"]
    assert list(Dag.objects.values_list("dag_id", flat=True)) == ["ours"]
    assert command(*SMALL, "--yes").json["dags"] == 20
    assert Dag.objects.count() == 21


def test_a_backfill_has_come_to_its_runs(seeded: dict[str, Any]) -> None:
    backfill = Backfill.objects.get()
    assert backfill.state == BackfillState.COMPLETED
    assert backfill.dates == backfill.entries.count() >= 4
    dates = [entry.logical_date for entry in backfill.entries.all()]
    assert dates == between(
        backfill.timetable, dates[0] - timedelta(seconds=1), dates[-1], len(dates) + 1
    )
    runs = DagRun.objects.filter(run_type="backfill")
    assert {entry.run_id for entry in backfill.entries.all()} == set(
        runs.values_list("pk", flat=True)
    )
    assert not runs.filter(finished_at__gt=backfill.finished_at).exists()


def _told(seed: int) -> dict[str, list[str]]:
    """The rows that a seed tells, without a database."""
    chance = Chance(seed)
    dags = population.dags(WISH, chance, taken=set(), tell=lambda _: None)
    ledger = Ledger(COLUMNS)
    historian = Historian(ledger, chance, now=micros(WISH.now), logs_of=0.1)
    for run in calendar.history(WISH, dags, chance).runs:
        historian.tell(run)
    return ledger.lines


def test_the_same_seed_tells_the_same() -> None:
    told = _told(7)
    assert told == _told(7)
    assert told != _told(8)
    assert len(told["skytrail_task_run"]) > 1900


def _columns(row: models.Model, *leave_out: str) -> dict[str, Any]:
    return {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if field.attname not in {"id", "created_at", *leave_out}
    }


def _frozen_tasks(version: DagVersion) -> dict[str, dict[str, Any]]:
    rows = list(VersionTask.objects.filter(version=version).order_by("position"))
    return {
        row.task_id: {
            **_columns(row, "version_id", "position"),
            "upstream": {rows[position].task_id for position in row.upstream},
        }
        for row in rows
    }


def test_a_dag_is_the_rows_that_saving_it_would_have_written(
    seeded: dict[str, Any], command: CommandLine
) -> None:
    for theirs in Dag.objects.select_related("version"):
        assert theirs.version is not None
        copy = parse({**theirs.version.spec, "name": f"{theirs.dag_id}_copy", "paused": True})
        ours = registration.create(
            spec=copy, author=theirs.version.author, source=DagSource.API
        ).dag
        ours = Dag.objects.select_related("version").get(pk=ours.pk)
        assert ours.version is not None
        itself = ("dag_id", "version_id", "updated_at", "schedule_since", "last_logical_date")
        assert _columns(theirs, *itself) == _columns(ours, *itself)
        frozen = ("dag_id", "spec", "checksum", "number", "note", "effective_from")
        assert _columns(theirs.version, *frozen) == _columns(ours.version, *frozen)
        # The canonical form has the tasks in another order than the one they were written in.
        tasks = [
            [_columns(row, "dag_id", "position") for row in dag.tasks.order_by("task_id")]
            for dag in (ours, theirs)
        ]
        assert tasks[0] == tasks[1]
        assert _frozen_tasks(theirs.version) == _frozen_tasks(ours.version)
        edges = [
            set(
                TaskDependency.objects.filter(task__dag=dag).values_list(
                    "task__task_id", "upstream__task_id"
                )
            )
            for dag in (ours, theirs)
        ]
        assert edges[0] == edges[1]
