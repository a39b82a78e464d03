"""Tasks that prepare something, and tasks that put it away again."""

from __future__ import annotations

from typing import Any

import pytest

from dags_app.authoring.errors import BadArgument
from skytrail.sdk import DAG, Empty, TaskGroup, setup, task, teardown
from tests.authoring.test_arrows import edges


@setup
def create() -> str:
    return "cluster"


@teardown(on_failure_fail_dagrun=True)
def delete(cluster: str) -> None: ...


def roles(dag: DAG) -> dict[str, list[str]]:
    names = ("setup", "teardown", "on_failure_fail_dagrun")
    return {
        task["id"]: [name for name in names if task.get(name)]
        for task in dag.document()["tasks"]
        if any(name in task for name in names)
    }


def test_decorated_functions() -> None:
    with DAG("d") as dag:
        cluster = create()
        work = Empty("work")
        cluster >> work >> delete(cluster)
    assert roles(dag) == {"create": ["setup"], "delete": ["teardown", "on_failure_fail_dagrun"]}
    assert edges(dag) == {("create", "work"), ("work", "delete"), ("create", "delete")}
    dag.spec()


def test_any_task_can_be_made_one() -> None:
    with DAG("d") as dag:
        a, b, c = Empty("a"), Empty("b"), Empty("c")
        a.as_setup() >> b >> c.as_teardown(setups=a, on_failure_fail_dagrun=True)
        setup(task(task_id="e")(create.function))()
    assert roles(dag) == {
        "a": ["setup"],
        "c": ["teardown", "on_failure_fail_dagrun"],
        "e": ["setup"],
    }
    assert edges(dag) == {("a", "b"), ("b", "c"), ("a", "c")}
    dag.spec()


def test_what_a_block_holds_stands_between() -> None:
    with DAG("d") as dag:
        cluster, bucket = create(), Empty("bucket")
        with delete(cluster).as_teardown(setups=[cluster, bucket]):
            Empty("x") >> [Empty("y"), Empty("z")]
            table: Any = Empty("table")
            with Empty("drop").as_teardown(setups=table):
                Empty("fill")
    assert edges(dag) == {
        *(("create", name) for name in ("x", "table", "delete")),
        *(("bucket", name) for name in ("x", "table", "delete")),
        ("x", "y"),
        ("x", "z"),
        ("table", "fill"),
        ("table", "drop"),
        ("fill", "drop"),
        *((name, "delete") for name in ("y", "z", "drop")),
    }
    assert set(roles(dag)) == {"create", "bucket", "delete", "table", "drop"}
    dag.spec()


def test_what_comes_after_a_group_does_not_wait_for_its_teardown() -> None:
    with DAG("d") as dag:
        with TaskGroup("g") as group:
            a, b, c = Empty("a"), Empty("b"), Empty("c")
            a >> b >> c.as_teardown(setups=a)
        group >> Empty("after")
    assert edges(dag) == {
        ("g.a", "g.b"),
        ("g.b", "g.c"),
        ("g.a", "g.c"),
        ("g.b", "after"),
    }


def test_a_group_of_nothing_but_a_setup_and_its_teardown_is_no_gap() -> None:
    with DAG("d") as dag:
        with TaskGroup("g") as group:
            Empty("b").as_teardown(setups=Empty("a"))
        group >> Empty("after")
    assert edges(dag) == {("g.a", "g.b"), ("g.b", "after")}


def test_what_is_wrong() -> None:
    with DAG("d"):
        with pytest.raises(BadArgument, match="setups are tasks"):
            Empty("a").as_teardown(setups=TaskGroup("g"))
        with pytest.raises(BadArgument, match="is for teardown tasks"), Empty("b"):
            pass
