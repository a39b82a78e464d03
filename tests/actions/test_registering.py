"""Saving DAGs: versions, the blueprint, and what is never half done."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Model

from dags_app.actions import registration
from dags_app.actions.deletion import delete
from dags_app.actions.pausing import pause, resume
from dags_app.domain.parse import BadDefinition, parse
from dags_app.models import Command, Dag, DagSource, DagVersion, Task, TaskDependency, VersionTask
from runs_app.actions.keeping import DagHasUnfinishedRuns
from tests.conveyor import Conveyor
from tests.factories import document, save_dag, start_run

pytestmark = pytest.mark.django_db

GRAPH = {"fetch": [], "transform": ["fetch"], "report": ["transform", "fetch"]}
BASH = {"fetch": {"type": "bash", "command": "make data", "retries": 2}}


def edges(dag: Dag) -> set[tuple[str, str]]:
    rows = TaskDependency.objects.filter(task__dag=dag)
    return set(rows.values_list("upstream__task_id", "task__task_id"))


def test_a_new_dag_has_a_blueprint_and_a_first_version() -> None:
    dag = save_dag(GRAPH, tasks=BASH, tags=["etl"], cron="0 9 * * *", timezone="Europe/Berlin")
    assert [task.task_id for task in dag.tasks.all()] == ["fetch", "transform", "report"]
    assert edges(dag) == {("fetch", "transform"), ("transform", "report"), ("fetch", "report")}
    fetch = dag.tasks.get(task_id="fetch")
    assert (fetch.type, fetch.parameters, fetch.retries) == ("bash", {"command": "make data"}, 2)
    assert dag.version is not None
    assert dag.version.number == 1
    assert (dag.tags, dag.cron, dag.timezone) == (["etl"], "0 9 * * *", "Europe/Berlin")
    assert dag.next_run_at is not None


def test_a_version_lays_its_tasks_out_in_topological_order() -> None:
    dag = save_dag(GRAPH, tasks=BASH)
    rows = VersionTask.objects.filter(version=dag.version)
    order = {row.task_id: row.position for row in rows}
    assert order["fetch"] < order["transform"] < order["report"]
    report = rows.get(task_id="report")
    assert report.upstream == sorted([order["fetch"], order["transform"]])
    assert rows.get(task_id="fetch").command.canonical == '{"command":"make data","type":"bash"}'


def test_equal_commands_are_stored_once() -> None:
    save_dag({f"t{i}": [] for i in range(10)})
    assert Command.objects.count() == 1


def test_the_same_meaning_makes_no_new_version() -> None:
    first = save_dag(GRAPH, tasks=BASH)
    again = document(GRAPH, tasks=BASH)
    again["tasks"].reverse()
    again["description"] = ""
    saved = registration.replace(
        dag=first, spec=parse(again), author="user:bob", source=DagSource.ADMIN
    )
    assert not saved.version_is_new
    assert DagVersion.objects.count() == 1
    assert saved.dag.source == DagSource.API, "nothing was changed, so nobody changed it"


def test_another_meaning_makes_the_next_version_and_keeps_the_old_one() -> None:
    dag = save_dag(GRAPH, tasks=BASH)
    changed = save_dag({"fetch": [], "load": ["fetch"]}, tasks=BASH)
    assert changed.version is not None
    assert changed.version.number == 2
    assert sorted(changed.tasks.values_list("task_id", flat=True)) == ["fetch", "load"]
    assert edges(changed) == {("fetch", "load")}
    assert VersionTask.objects.filter(version=dag.version).count() == 3


def test_a_run_keeps_the_version_it_was_made_from() -> None:
    dag = save_dag(GRAPH)
    run = start_run(dag)
    save_dag({"other": []})
    run.refresh_from_db()
    assert run.version_id == dag.version_id


def test_pausing_is_no_change_of_meaning() -> None:
    dag = save_dag(GRAPH, cron="0 9 * * *")
    paused = pause(dag)
    assert paused.paused
    assert not resume(dag).paused
    assert DagVersion.objects.count() == 1


def test_a_name_is_given_once() -> None:
    save_dag(GRAPH)
    with pytest.raises(registration.DagExists, match="named story already"):
        registration.create(spec=parse(document(GRAPH)), author="user:bob", source=DagSource.API)


def test_a_dag_keeps_its_name() -> None:
    dag = save_dag(GRAPH)
    with pytest.raises(registration.NameMismatch):
        registration.replace(
            dag=dag,
            spec=parse(document(GRAPH, name="tale")),
            author="user:bob",
            source=DagSource.API,
        )


def test_a_bad_definition_leaves_nothing_behind() -> None:
    with pytest.raises(BadDefinition):
        save_dag({"a": ["b"], "b": ["a"]})
    assert not Dag.objects.exists()
    assert not Task.objects.exists()


def test_a_deleted_dag_gives_its_name_free_and_keeps_its_history(conveyor: Conveyor) -> None:
    dag = save_dag(GRAPH)
    delete(dag)
    assert not Dag.objects.present().exists()
    again = save_dag(GRAPH)
    assert again.pk != dag.pk
    assert DagVersion.objects.filter(dag=dag).exists()


def test_a_dag_with_unfinished_runs_is_not_deleted() -> None:
    dag = save_dag(GRAPH)
    start_run(dag)
    with pytest.raises(DagHasUnfinishedRuns, match="1 unfinished run"):
        delete(dag)
    assert Dag.objects.present().exists()


@pytest.mark.parametrize("model", [DagVersion, VersionTask, Command])
def test_versions_and_commands_are_never_changed(model: type[Model]) -> None:
    save_dag(GRAPH, tasks=BASH)
    row = model._default_manager.first()
    assert row is not None
    with pytest.raises(IntegrityError, match="are never changed"), transaction.atomic():
        row.save()


def test_ten_thousand_tasks_are_saved_in_a_few_statements(
    django_assert_max_num_queries: object,
) -> None:
    graph = {f"t{i}": [f"t{i - 1}"] if i % 100 else [] for i in range(10_000)}
    with django_assert_max_num_queries(70):  # type: ignore[operator]
        dag = save_dag(graph)
    assert dag.tasks.count() == 10_000


def test_which_dags_wait_for_an_asset_is_asked_in_one_indexed_query() -> None:
    both = save_dag(GRAPH, name="both", schedule={"assets": ["orders", "rates"]})
    save_dag(GRAPH, name="either", schedule={"any_asset": ["orders", "stock"]})
    save_dag(GRAPH, name="other", schedule={"assets": ["rates"]})
    waiting = Dag.objects.present().filter(waits_for__contains=["orders"])
    assert {dag.dag_id for dag in waiting} == {"both", "either"}
    assert (both.next_run_at, both.timetable) == (None, None)
    save_dag(GRAPH, name="both", schedule="@daily")
    assert {dag.dag_id for dag in waiting.all()} == {"either"}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan = Dag.objects.filter(waits_for__contains=["orders"]).explain()
    assert "dag_waits_for" in plan
