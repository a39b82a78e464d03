"""A task's function is found by a worker, wherever it is defined: by importing and `getattr`."""

from __future__ import annotations

import asyncio
import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dags_app.authoring import Collection
from dags_app.authoring.errors import NowhereToFind, OutsideOfADag
from skytrail.sdk import DAG, Python, task
from tests.authoring.modules import ImportFile
from tests.house.source import ROOT
from workers.executors.python import load


def paths(found: Collection) -> dict[str, str]:
    """Each task's function, by the ids of DAG and task."""
    return {
        f"{dag.dag_id}.{task['id']}": task["callable"]
        for dag in found.dags
        for task in dag.document()["tasks"]
    }


def call_as_a_worker(path: str, *args: Any) -> Any:
    """What a fresh process would get: the file is imported again, and by nobody who collects."""
    module = path.partition(":")[0]
    sys.modules.pop(module, None)
    importlib.invalidate_caches()
    return load(path)(*args)


def test_a_function_of_the_module(import_file: ImportFile) -> None:
    found = import_file(
        "etl/daily.py",
        """
        @task
        def extract():
            return 7

        with DAG("d"):
            extract()
        """,
    )
    assert paths(found) == {"d.extract": "etl.daily:extract"}
    assert call_as_a_worker("etl.daily:extract") == 7


def test_a_function_within_a_function_that_writes_the_dag(import_file: ImportFile) -> None:
    found = import_file(
        "etl/flow.py",
        """
        @dag
        def daily():
            @task
            def extract():
                return 7

            @task_group
            def all():
                @task
                async def load(rows):
                    return rows + 1

                load(extract())

            all()

        daily()
        """,
    )
    extract, load_ = paths(found).values()
    assert extract == "etl.flow:daily.functions.extract"
    assert load_ == "etl.flow:daily.functions.load"
    assert call_as_a_worker(extract) == 7
    assert asyncio.run(call_as_a_worker(load_, 7)) == 8


def test_another_process_finds_them_too(import_file: ImportFile, tmp_path: Path) -> None:
    found = import_file(
        "etl/apart.py",
        """
        for number in (1, 2):
            with DAG(f"d{number}"):
                @task
                def work(n=number):
                    return n
                work()
        """,
    )
    program = f"""
from workers.executors.python import load
print([load(path)() for path in {list(paths(found).values())!r}])
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT)))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "[1, 2]", done.stderr


def test_attributes_that_a_function_has_do_no_harm() -> None:
    def work() -> int:
        return 1

    work.options = work.function = work.kind = "mine"  # type: ignore[attr-defined]  # that is the point
    assert str(task(work)()) == "1"


def test_functions_of_one_name_are_told_apart(import_file: ImportFile) -> None:
    found = import_file(
        "loop.py",
        """
        with DAG("d"):
            for number in (1, 2):
                @task(task_id=f"t{number}")
                def work(n=number):
                    return n
                work()
        """,
    )
    first, second = paths(found).values()
    assert [call_as_a_worker(first), call_as_a_worker(second)] == [1, 2]


def test_many_dags_of_one_function_without_names_in_the_module(import_file: ImportFile) -> None:
    found = import_file(
        "many.py",
        """
        def make(table):
            @dag(dag_id=f"load-{table}")
            def load():
                @task
                def work():
                    return table
                work()
            return load()

        for table in ("a", "b"):
            make(table)
        """,
    )
    assert paths(found) == {
        "load-a.work": "many:__skytrail__.load_a.functions.work",
        "load-b.work": "many:__skytrail__.load_b.functions.work",
    }
    assert [call_as_a_worker(path) for path in paths(found).values()] == ["a", "b"]


def test_a_function_with_arguments_writes_the_dag(import_file: ImportFile) -> None:
    found = import_file(
        "arguments.py",
        """
        @dag(dag_id="d")
        def make(number):
            @task
            def work():
                return number
            work()

        make(5)
        """,
    )
    (path,) = paths(found).values()
    assert call_as_a_worker(path) == 5


def test_dags_whose_ids_differ_by_signs_only_are_told_apart(import_file: ImportFile) -> None:
    found = import_file(
        "signs.py",
        """
        for name in ("a-b", "a.b"):
            with DAG(name):
                @task
                def work(n=name):
                    return n
                work()
        """,
    )
    assert [call_as_a_worker(path) for path in paths(found).values()] == ["a-b", "a.b"]


def test_a_function_made_in_one_file_and_used_in_another(import_file: ImportFile) -> None:
    import_file(
        "common.py",
        """
        def make(dag_id):
            with DAG(dag_id) as made:
                @task
                def work():
                    return dag_id
                work()
            return made
        """,
    )
    found = import_file("here.py", "from common import make\nmake('x')")
    (path,) = paths(found).values()
    assert path.startswith("here:")
    assert call_as_a_worker(path) == "x"


def test_a_plain_function_and_one_that_is_named() -> None:
    with DAG("d") as dag:
        Python("a", callable=len)
        Python("b", callable="my_project.reports.build")
    assert [task["callable"] for task in dag.document()["tasks"]] == [
        "builtins:len",
        "my_project.reports.build",
    ]


def test_a_function_that_calls_another_one_just_calls_it(import_file: ImportFile) -> None:
    import_file(
        "helpers.py",
        """
        @task
        def one():
            return 1

        @task
        def two():
            return one() + 1

        with DAG("d"):
            one() >> two()
        """,
    )
    assert call_as_a_worker("helpers:two") == 2


def test_a_lambda_is_refused_with_what_to_do() -> None:
    with DAG("d") as dag:
        Python("a", callable=lambda: 1)
    with pytest.raises(NowhereToFind, match=r"a lambda: it has no name; write a function with def"):
        dag.document()


def test_a_script_that_is_run_is_no_module(monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> None: ...

    work.__module__ = "__main__"
    work.__qualname__ = "work"
    monkeypatch.setattr(sys.modules["__main__"], "work", work, raising=False)
    with DAG("d") as dag:
        Python("a", callable=work)
    with pytest.raises(NowhereToFind, match="a script that is run"):
        dag.document()


def test_a_call_outside_of_any_dag_is_refused_while_a_file_is_read(
    import_file: ImportFile,
) -> None:
    with pytest.raises(OutsideOfADag, match=r"the call of extract\(\) stands outside of a DAG"):
        import_file("outside.py", "@task\ndef extract(): ...\n\nextract()")
