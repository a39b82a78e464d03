"""Importing one file for its DAGs, and what is said where that does not work."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dags_app.authoring.importing import (
    CannotImport,
    NoDags,
    NoSuchDagInFile,
    WhichDag,
    dag_in,
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which modules are looked for."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def _write(folder: Path, name: str, source: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"from skytrail.sdk import *\n{source}")
    return file


def test_the_only_dag_of_a_file_needs_no_name(folder: Path) -> None:
    file = _write(folder, "imported/one.py", "with DAG('one'): Empty('a')\n")
    assert dag_in(file).dag_id == "one"
    assert "imported.one" in sys.modules


def test_of_several_one_has_to_be_named(folder: Path) -> None:
    file = _write(folder, "imported_two.py", "for n in 'ab':\n  with DAG(n): Empty('t')\n")
    assert dag_in(file, "b").dag_id == "b"
    with pytest.raises(WhichDag, match="a, b"):
        dag_in(file)
    with pytest.raises(NoSuchDagInFile, match="only a, b"):
        dag_in(file, "zebra")


def test_a_file_that_makes_none_says_what_is_missing(folder: Path) -> None:
    with pytest.raises(NoDags, match="with DAG"):
        dag_in(_write(folder, "imported_none.py", "x = 1\n"))
    uncalled = _write(folder, "imported_uncalled.py", "@dag\ndef daily(): Empty('a')\n")
    with pytest.raises(NoDags, match=r"add daily\(\)"):
        dag_in(uncalled)


def test_a_file_that_fails_says_where(folder: Path) -> None:
    file = _write(folder, "imported_broken.py", "rows = 1 / 0\n")
    with pytest.raises(CannotImport, match="ZeroDivisionError: division by zero") as caught:
        dag_in(file)
    (place,) = caught.value.problems
    assert (place.path, place.message) == (f"{file}:2", "rows = 1 / 0")
    with pytest.raises(CannotImport, match="no such file"):
        dag_in(folder / "nowhere.py")


def test_a_file_that_has_changed_is_imported_anew(folder: Path) -> None:
    file = _write(folder, "imported_twice.py", "with DAG('before'): Empty('a')\n")
    assert dag_in(file).dag_id == "before"
    _write(folder, "imported_twice.py", "with DAG('after_a_while'): Empty('a')\n")
    assert dag_in(file).dag_id == "after_a_while"


def test_a_file_with_the_name_of_another_module_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    file = _write(tmp_path, "typing.py", "with DAG('one'): Empty('a')\n")
    with pytest.raises(CannotImport, match="another name"):
        dag_in(file)
    assert not hasattr(sys.modules["typing"], "__skytrail__")
