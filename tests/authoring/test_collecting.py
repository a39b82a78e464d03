"""A file's DAGs are those that its lines make."""

from __future__ import annotations

from skytrail.sdk import DAG, Empty
from tests.authoring.modules import ImportFile


def test_dags_are_found_in_the_order_of_the_lines_however_they_are_made(
    import_file: ImportFile,
) -> None:
    found = import_file(
        "etl/daily.py",
        """
        with DAG("first"):
            Empty("a")

        @dag
        def second():
            Empty("a")

        second()
        DagBuilder("third").add_task("a").build()
        for letter in "xy":
            with DAG(letter):
                Empty("a")
        """,
    )
    assert [dag.dag_id for dag in found.dags] == ["first", "second", "third", "x", "y"]
    assert [dag.spec().name for dag in found.dags] == ["first", "second", "third", "x", "y"]
    assert found.never_called == []


def test_a_function_that_is_never_called_makes_no_dag_and_is_named(
    import_file: ImportFile,
) -> None:
    found = import_file("forgotten.py", "@dag\ndef daily(): Empty('a')")
    assert (found.dags, found.never_called) == ([], ["daily"])


def test_a_dag_that_does_not_want_to_be_found_is_not(import_file: ImportFile) -> None:
    assert import_file("hidden.py", "DAG('d', auto_register=False)").dags == []


def test_elsewhere_nobody_collects_anything() -> None:
    with DAG("d") as dag:
        Empty("a")
    assert dag.spec().name == "d"
