"""Functions as tasks: their calls are wired by the data that they hand on."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

import pytest

from dags_app.authoring.errors import BadArgument, BadDag, NotKnownYet, OutsideOfADag
from skytrail.sdk import DAG, Bash, Empty, TaskGroup, dag, task, task_group


@task
def extract() -> Any:
    return {"rows": [1, 2]}


@task
def load(rows: Any, *more: Any, into: str = "x", **others: Any) -> Any:
    return rows


def last(dag: DAG) -> dict[str, Any]:
    """The entry of the task made last; the whole is fine."""
    dag.spec()
    task: dict[str, Any] = dag.document()["tasks"][-1]
    return task


def test_elsewhere_a_task_is_its_function() -> None:
    assert load(extract()) == {"rows": [1, 2]}


def test_calls_are_wired_by_data() -> None:
    with DAG("d") as made:
        load(load(extract()))
    assert [(t["id"], t.get("depends_on")) for t in made.document()["tasks"]] == [
        ("extract", None),
        ("load", ["extract"]),
        ("load__1", ["load"]),
    ]
    assert last(made)["kwargs"] == {"rows": "{{ outputs.load }}"}


@pytest.mark.parametrize(
    ("keys", "template"),
    [
        (["rows"], "{{ outputs.extract.rows }}"),
        (["rows", 0, "name"], "{{ outputs.extract.rows[0].name }}"),
        (["x-y"], '{{ outputs.extract["x-y"] }}'),
        (['"', "ä\\"], '{{ outputs.extract["\\""]["ä\\\\"] }}'),
        ([-1], "{{ outputs.extract[-1] }}"),
    ],
)
def test_parts_of_outputs(keys: list[Any], template: str) -> None:
    with DAG("d") as made:
        value = extract()
        for key in keys:
            value = value[key]
        load(value)
    assert last(made)["kwargs"] == {"rows": template}


def test_outputs_deep_in_arguments() -> None:
    with DAG("d") as made:
        load({"a": [extract(), 1]}, into=f"{extract()}", more={"x": (extract()["a"],)})
    with pytest.raises(BadDag, match=r"tasks.load.kwargs.into: the output of 'extract__1' is used"):
        made.spec()
    made.get_task("load").set_upstream(made.get_task("extract__1"))
    document = last(made)
    assert document["depends_on"] == ["extract", "extract__1", "extract__2"]
    assert document["kwargs"] == {
        "rows": {"a": ["{{ outputs.extract }}", 1]},
        "into": "{{ outputs.extract__1 }}",
        "more": {"x": ["{{ outputs.extract__2.a }}"]},
    }


def test_arguments_have_names_where_they_can() -> None:
    with DAG("d") as made:
        load(1, into="y")
    assert "args" not in last(made)
    with DAG("d") as made:
        load(1, 2, 3, into="y", z=4)
    assert last(made)["args"] == [1, 2, 3]
    assert last(made)["kwargs"] == {"into": "y", "z": 4}


def test_plain_values_of_python_become_those_of_json() -> None:
    values = [date(2026, 1, 2), timedelta(minutes=1), Decimal("1.5"), PurePosixPath("/x"), (1,)]
    with DAG("d") as made:
        load(values)
    assert last(made)["kwargs"]["rows"] == ["2026-01-02", 60, "1.5", "/x", [1]]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({1, 2}, "is a set, which has no order"),
        (object(), "is a object, which a definition cannot hold"),
        ({1: 2}, "has the key 1, which is not text"),
        (b"x", "is a bytes"),
    ],
)
def test_what_a_definition_cannot_hold_is_named(value: Any, said: str) -> None:
    with DAG("d") as made:
        load([value])
    with pytest.raises(BadArgument, match=rf"the task 'load': kwargs\['rows'\]\[0\] {said}"):
        made.document()


def test_arguments_that_do_not_fit_are_found_at_once() -> None:
    with DAG("d"), pytest.raises(BadArgument, match=r"extract\(\): the arguments do not fit"):
        extract(1)


def test_what_airflow_would_fill_in_has_to_be_given() -> None:
    @task
    def dated(ds: str | None = None) -> None: ...

    @task
    def all_of_it(**context: Any) -> None: ...

    with DAG("d") as made:
        dated("{{ ds }}")
        dated(ds=None)
        all_of_it(ds="{{ ds }}")
        with pytest.raises(BadArgument, match=r'ds is not filled in .* dated\(day="{{ ds }}"\)'):
            dated()
        with pytest.raises(BadArgument, match="context is not filled in by itself"):
            all_of_it()
    assert [each.fields["kwargs"] for each in made.tasks] == [
        {"ds": "{{ ds }}"},
        {"ds": None},
        {"ds": "{{ ds }}"},
    ]


def test_what_is_not_known_yet_cannot_be_asked() -> None:
    with DAG("d"):
        with pytest.raises(NotKnownYet, match=r"\.expand\(\)"):
            list(extract())
        with pytest.raises(NotKnownYet, match=r"@task\.branch"):
            assert extract()
        with pytest.raises(AttributeError, match=r"is written \['rows'\]"):
            assert extract().rows


def test_settings_and_their_overrides() -> None:
    with DAG("d") as made:
        again = task(retries=1, multiple_outputs=True)(extract.function).override(
            task_id="again", retry_delay=timedelta(seconds=9)
        )
        again()
    assert last(made)["id"] == "again"
    assert (last(made)["retries"], last(made)["retry_delay_seconds"]) == (1, 9)
    assert last(made)["multiple_outputs"] is True


def test_outputs_have_names_that_are_held_to() -> None:
    with DAG("d") as made:
        rows = extract.override(outputs=["rows", "place"])()
        load(rows["rows"])
    assert made.document()["tasks"][0]["outputs"] == ["rows", "place"]
    assert "{{ outputs.extract.rows }}" in str(last(made))
    with DAG("d") as made:
        load(extract.override(outputs=["rows"])()["rowz"])
    with pytest.raises(Exception, match="declares no output 'rowz'; did you mean 'rows'"):
        made.spec()


@dag
def daily() -> None:
    """What it is for.

    At length.
    """
    described()


@task
def described() -> None:
    """What it does."""


def test_a_docstring_is_the_description() -> None:
    made = daily()
    assert made.spec().description == "What it is for.\n\nAt length."
    assert last(made)["description"] == "What it does."


def test_a_docstring_that_is_too_long_is_cut() -> None:
    def work() -> None: ...

    work.__doc__ = "x" * 3000
    with DAG("d") as made:
        task(work)()
    description = made.get_task("work").fields["description"]
    assert (len(description), description[-1]) == (2000, "…")


# ---------------------------------------------------------------- mapping


def test_expanding() -> None:
    with DAG("d") as made:
        load.partial(into="y").expand(rows=extract()["rows"], a=[1, 2])
    assert last(made)["kwargs"] == {"into": "y"}
    assert last(made)["expand"] == {"rows": "{{ outputs.extract.rows }}", "a": [1, 2]}
    assert last(made)["depends_on"] == ["extract"]


def test_expanding_over_objects() -> None:
    with DAG("d") as made:
        load.expand_kwargs(extract())
        load.expand_kwargs([{"rows": 1}, {"rows": extract()}])
    first, second = made.document()["tasks"][1], last(made)
    assert first["expand_kwargs"] == "{{ outputs.extract }}"
    assert second["expand_kwargs"] == [{"rows": 1}, {"rows": "{{ outputs.extract__1 }}"}]
    assert second["depends_on"] == ["extract__1"]


def test_what_cannot_be_expanded_over() -> None:
    with DAG("d"):
        with pytest.raises(BadArgument, match="rows is a int: give a list"):
            load.expand(rows=3)
        with pytest.raises(BadArgument, match="missing a required argument: 'rows'"):
            load.expand(into=["x"])
        with pytest.raises(BadArgument, match="need a list"):
            load.partial(rows=1).expand()
    with pytest.raises(OutsideOfADag, match=r"load\.expand\(\) stands outside of a DAG"):
        load.expand(rows=[1])


# ---------------------------------------------------------------- other kinds


def test_kinds_of_functions() -> None:
    with DAG("d") as made:

        @task.branch
        def choose() -> str:
            return "a"

        @task.short_circuit(ignore_downstream_trigger_rules=False)
        def is_open() -> bool:
            return True

        @task.sensor(poke_interval=5, timeout=timedelta(minutes=1), soft_fail=True)
        def there() -> bool:
            return True

        is_open() >> there() >> choose() >> [Empty("a"), Empty("b")]
    types = {t.task_id: t.document([])["type"] for t in made.tasks[:3] if t.fields.pop("callable")}
    assert types == {"is_open": "short_circuit", "there": "python_sensor", "choose": "branch"}
    assert made.get_task("there").fields == {
        "poke_interval_seconds": 5,
        "wait_timeout_seconds": 60,
        "soft_fail": True,
    }


@task.bash(env={"LC_ALL": "C"})
def say(count: object, word: str = "rows") -> str:
    return f"echo {count} {word}"


def test_a_command_is_written_when_the_dag_is_and_values_come_through_the_environment() -> None:
    with DAG("d") as made:
        say(extract()["n"], word="{{ params.word }}")
    assert last(made) == {
        "id": "say",
        "type": "bash",
        "depends_on": ["extract"],
        "command": 'echo "$COUNT" "$WORD"',
        "env": {
            "LC_ALL": "C",
            "COUNT": "{{ outputs.extract.n }}",
            "WORD": "{{ params.word }}",
        },
    }


def test_a_command_for_each_value() -> None:
    with DAG("d") as made:
        say.partial(word="files").expand(count=[1, 2])
    assert last(made)["command"] == 'echo "$COUNT" files'
    assert last(made)["env"]["COUNT"] == "{{ map.count }}"
    with DAG("d"), pytest.raises(BadArgument, match=r"use \.expand"):
        say.expand_kwargs([{"count": 1}])


def test_what_is_known_is_written_into_the_command_and_elsewhere_it_is_its_text() -> None:
    with DAG("d") as made:
        say(3)
    assert last(made)["command"] == "echo 3 rows"
    assert str(say(3)) == "echo 3 rows"


def test_an_output_within_an_argument_is_no_variable() -> None:
    with DAG("d"), pytest.raises(BadArgument, match="count holds an output"):
        say([extract()])


def test_a_bash_function_returns_text() -> None:
    with DAG("d"), pytest.raises(BadArgument, match="is a NoneType: return the command as text"):
        task.bash(lambda: None)()  # type: ignore[arg-type, return-value]  # that is the point


# ---------------------------------------------------------------- groups


@task_group
def pipeline(rows: Any) -> Any:
    return load(load(rows))


def test_a_function_that_makes_a_group() -> None:
    with DAG("d") as made:
        load(pipeline(pipeline(extract())))
    assert [(t["id"], t.get("depends_on"), t.get("group")) for t in made.document()["tasks"]] == [
        ("extract", None, None),
        ("pipeline.load", ["extract"], "pipeline"),
        ("pipeline.load__1", ["pipeline.load"], "pipeline"),
        ("pipeline__1.load", ["pipeline.load__1"], "pipeline__1"),
        ("pipeline__1.load__1", ["pipeline__1.load"], "pipeline__1"),
        ("load", ["pipeline__1.load__1"], None),
    ]
    assert last(made)["kwargs"] == {"rows": '{{ outputs["pipeline__1.load__1"] }}'}


def test_groups_without_prefixes_and_with_defaults() -> None:
    @task_group(group_id="g", prefix_group_id=False, default_args={"retries": 1, "pool": "p"})
    def work() -> None:
        with TaskGroup("inner", default_args={"retries": 2}):
            Empty("a")
            Bash("b", command="true", retries=3)

    with DAG("d", default_args={"queue": "q", "env": {"A": "1"}}) as made:
        group = work()
        Empty("c") >> group
    assert isinstance(group, TaskGroup)
    assert made.document()["tasks"] == [
        {
            "id": "inner.a",
            "type": "empty",
            "depends_on": ["c"],
            "group": "g.inner",
            "queue": "q",
            "retries": 2,
            "pool": "p",
        },
        {
            "id": "inner.b",
            "type": "bash",
            "depends_on": ["c"],
            "group": "g.inner",
            "queue": "q",
            "env": {"A": "1"},
            "retries": 3,
            "pool": "p",
            "command": "true",
        },
        {"id": "c", "type": "empty", "queue": "q"},
    ]
