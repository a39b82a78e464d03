"""However a DAG is written, it is one definition: equal DAGs have one checksum."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from dags_app.domain.parse import parse
from dags_app.domain.spec import checksum
from skytrail.sdk import (
    DAG,
    Approval,
    Asset,
    Bash,
    Branch,
    DagBuilder,
    Empty,
    ExternalSensor,
    Http,
    Param,
    Python,
    TaskGroup,
    TimeSensor,
    TriggerDag,
    TriggerRule,
    dag,
    task,
)
from tests.domain.definitions import documents


def fetch(day: str) -> list[int]:
    return [1]


def store(rows: list[int], *, table: str = "rows") -> None: ...


HERE = __name__

#: The DAG that is written in five ways.
DOCUMENT: dict[str, Any] = {
    "name": "daily",
    "description": "Daily figures.",
    "schedule": "0 9 * * *",
    "timezone": "Europe/Berlin",
    "start_date": "2026-01-01",
    "tags": ["b", "a"],
    "run_timeout_seconds": 7200,
    "params": {"days": {"default": 7, "type": "integer"}},
    "default_args": {"retries": 2, "retry_delay_seconds": 60},
    "tasks": [
        {
            "id": "fetch",
            "type": "python",
            "callable": f"{HERE}:fetch",
            "kwargs": {"day": "{{ ds }}"},
        },
        {
            "id": "load.store",
            "type": "python",
            "group": "load",
            "callable": f"{HERE}:store",
            "kwargs": {"rows": "{{ outputs.fetch }}", "table": "days"},
            "depends_on": ["fetch"],
            "retries": 0,
        },
        {
            "id": "load.tell",
            "type": "bash",
            "group": "load",
            "command": "echo done",
            "trigger_rule": "all_done",
            "depends_on": ["load.store"],
        },
    ],
}

OPTIONS: Any = {
    "description": "Daily figures.",
    "schedule": "0 9 * * *",
    "start_date": datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")),
    "tags": ["a", "b"],
    "dagrun_timeout": timedelta(hours=2),
    "params": {"days": Param(7, type="integer")},
    "default_args": {"retries": 2, "retry_delay": timedelta(minutes=1)},
}


def by_decorators() -> DAG:
    @dag("daily", **OPTIONS)
    def write() -> None:
        rows = task(fetch)("{{ ds }}")
        with TaskGroup("load"):
            stored = task(retries=0)(store)(rows, table="days")
            stored >> Bash("tell", command="echo done", trigger_rule=TriggerRule.ALL_DONE)

    return write()


def by_context() -> DAG:
    with DAG("daily", **OPTIONS) as made:
        first = Python("fetch", callable=fetch, kwargs={"day": "{{ ds }}"})
        with TaskGroup("load", default_args={"retries": 0}) as load:
            kwargs = {"rows": first.output, "table": "days"}
            second = Python("store", callable=store, kwargs=kwargs)
            third = Bash("tell", command="echo done", retries=2, trigger_rule="all_done")
        second.set_downstream(third)
        load << first
    return made


def by_argument() -> DAG:
    made = DAG("daily", **OPTIONS)
    load = TaskGroup("load", dag=made)
    Bash(
        "tell",
        command="echo done",
        trigger_rule="all_done",
        depends_on=["load.store"],
        task_group=load,
    )
    first = Python("fetch", callable=f"{HERE}:fetch", kwargs={"day": "{{ ds }}"}, dag=made)
    kwargs = {"rows": first.output, "table": "days"}
    Python("store", callable=store, kwargs=kwargs, retries=0, task_group=load)
    return made


def by_builder() -> DAG:
    kwargs = {"rows": "{{ outputs.fetch }}", "table": "days"}
    return (
        DagBuilder("daily", **OPTIONS)
        .add_task("tell", type="bash", command="echo done", trigger_rule="all_done", group="load")
        .depends_on("load.store")
        .add_task("store", store, kwargs=kwargs, retries=0, group="load")
        .depends_on("fetch")
        .add_task("fetch", fetch, kwargs={"day": "{{ ds }}"})
        .build()
    )


#: Keys that the builder has other ways for, or that say how the document is to be read.
NOT_OPTIONS = ("name", "format", "tasks", "params", "paused")


def sum_of(document: Mapping[str, Any]) -> str:
    return checksum(parse(document).canonical())


@pytest.mark.parametrize("write", [by_decorators, by_context, by_argument, by_builder])
def test_one_dag_written_in_any_way_is_one_definition(write: Any) -> None:
    made: DAG = write()
    assert made.spec().canonical() == parse(DOCUMENT).canonical()
    assert checksum(made.spec().canonical()) == sum_of(made.document()) == sum_of(DOCUMENT)


@given(documents())
def test_any_definition_can_be_written_in_python(document: dict[str, Any]) -> None:
    """With the builder; what is written with it is what is read."""
    fields = {name: value for name, value in document.items() if name not in NOT_OPTIONS}
    params = {
        name: Param(**value) if isinstance(value, dict) else value
        for name, value in document.get("params", {}).items()
    }
    builder = DagBuilder(document["name"], **fields, params=params)
    for entry in document["tasks"]:
        own = {key: value for key, value in entry.items() if key not in ("id", "depends_on")}
        builder.add_task(entry["id"], **own).depends_on(*entry.get("depends_on", []))
    assert builder.build().spec().canonical() == parse(document).canonical()


@pytest.mark.parametrize(
    ("schedule", "written"),
    [
        (None, None),
        ("@daily", "@daily"),
        (timedelta(minutes=15), {"interval_seconds": 900}),
        (["0 9 * * *", "0 17 * * *"], {"cron": ["0 9 * * *", "0 17 * * *"]}),
        (Asset("a"), {"assets": ["a"]}),
        ([Asset("b"), Asset("a")], {"assets": ["a", "b"]}),
        (Asset("a") & Asset("b") & Asset("c"), {"assets": ["a", "b", "c"]}),
        (Asset("a") | Asset("b"), {"any_asset": ["a", "b"]}),
        ([datetime(2026, 1, 2, tzinfo=UTC)], {"events": ["2026-01-02T00:00:00Z"]}),
        (
            {"cron": "0 9 * * *", "except": {"holidays": "DE-BY", "weekdays": ["SUN"]}},
            {"cron": "0 9 * * *", "except": {"holidays": "DE-BY", "weekdays": ["SUN"]}},
        ),
    ],
)
def test_schedules(schedule: Any, written: Any) -> None:
    with DAG("d", schedule=schedule) as made:
        Empty("a")
    document = {"name": "d", "schedule": written, "tasks": [{"id": "a"}]}
    assert checksum(made.spec().canonical()) == sum_of(document)


def test_settings_of_a_dag_under_the_names_that_people_know_from_airflow() -> None:
    with DAG(
        "d",
        doc_md="What it is for.",
        schedule="@daily",
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=True,
        catchup_window=timedelta(days=2),
        overlap_policy="skip",
        max_active_runs=3,
        max_active_tasks=5,
        dagrun_timeout=timedelta(hours=1),
        fail_fast=True,
        is_paused_upon_creation=True,
        default_args={"owner": "shop", "start_date": datetime(2026, 1, 2, tzinfo=UTC)},
    ) as made:
        Empty("a")
    spec = made.spec()
    assert (spec.description, spec.owner, spec.paused) == ("What it is for.", "shop", True)
    assert (spec.start_date, spec.run_timeout_seconds) == (datetime(2026, 1, 1, tzinfo=UTC), 3600)
    assert (spec.catchup_window_seconds, spec.overlap_policy) == (172_800, "skip")


def test_settings_of_a_task_under_the_names_that_people_know_from_airflow() -> None:
    with DAG("d") as made:
        Empty(
            "a",
            doc_md="What it does.",
            retry_delay=timedelta(minutes=5),
            max_retry_delay=timedelta(hours=1),
            retry_exponential_backoff=True,
            execution_timeout=timedelta(seconds=90),
            priority_weight=4,
            outlets=[Asset("orders"), "customers"],
        )
    (made_task,) = made.document()["tasks"]
    assert made_task == {
        "id": "a",
        "type": "empty",
        "description": "What it does.",
        "retry_delay_seconds": 300,
        "max_retry_delay_seconds": 3600,
        "retry_exponential_backoff": 2,
        "timeout_seconds": 90,
        "priority": 4,
        "outlets": ["customers", "orders"],
    }
    made.spec()


def test_tasks_of_many_types() -> None:
    with DAG("d") as made:
        http = Http("http", uri="https://example.org", request_timeout_seconds=timedelta(minutes=1))
        Branch("branch", value=http.output["status"], cases={"200": ["wait"]})
        TimeSensor("wait", until=datetime(2026, 1, 1, tzinfo=UTC), depends_on="branch")
        ExternalSensor("other", dag_id="x", delta_seconds=timedelta(hours=1), poke_interval=5)
        Approval("ok", subject="Go on?", wait_timeout_seconds=timedelta(days=1))
        TriggerDag("next", dag_id="x", conf={"n": http.output["json"]["n"]}, poke_interval=1)
    spec = made.spec()
    assert {task.id: task.depends_on for task in spec.tasks} == {
        "http": [],
        "branch": ["http"],
        "wait": ["branch"],
        "other": [],
        "ok": [],
        "next": ["http"],
    }
    assert made.document()["tasks"][5]["conf"] == {"n": "{{ outputs.http.json.n }}"}
