"""`skytrail dags validate` over Python files and folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine

GOOD = "from skytrail.sdk import *\nwith DAG({!r}): Empty('a')\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags/good.py").write_text(GOOD.format("good"))
    return tmp_path


def test_a_sound_folder_is_counted(command: CommandLine) -> None:
    said = command("dags", "validate", "dags", "-o", "plain")
    assert said.out == "files\t1\ndags\t1\nvalid\tTrue\n"


def test_each_problem_is_a_line_that_editors_can_follow(command: CommandLine) -> None:
    Path("dags/broken.py").write_text("import skytrail\n1 / 0\n")
    Path("dags/odd.yaml").write_text("name: odd\ntasks:\n- id: a\n  retires: 2\n")
    said = command("dags", "validate", "dags", expect=1)
    first, second = said.out.splitlines()
    assert first == "dags/broken.py:2:1: ZeroDivisionError: division by zero"
    assert second.startswith("dags/odd.yaml:4:12: tasks[0].retires: ")


def test_a_name_that_two_files_give_is_told_to_the_second(command: CommandLine) -> None:
    Path("dags/later.yaml").write_text("dag_id: good\ntasks:\n- id: a\n")
    said = command("dags", "validate", "dags/good.py", "dags/later.yaml", expect=1)
    assert said.out.startswith("dags/later.yaml: dags/good.py makes a DAG 'good' already")


def test_files_of_a_folder_find_their_modules_as_when_it_is_synced(command: CommandLine) -> None:
    Path("dags/words_for_all.py").write_text("WORD = 'a'\n")
    Path("dags/etl").mkdir()
    Path("dags/etl/one.py").write_text("from words_for_all import WORD\n" + GOOD.format("one"))
    for path in ("dags", "dags/etl/one.py", "."):
        assert "valid" in command("dags", "validate", path).out
    assert "success" in command("dags", "test", "dags/etl/one.py").out


def test_a_program_gets_the_same_as_json(command: CommandLine) -> None:
    Path("broken.py").write_text("with DAG(\n")
    (row,) = command("dags", "validate", "broken.py", "-o", "json", expect=1).json
    assert (row["file"], row["line"]) == ("broken.py", 1)


def test_what_is_not_there_is_said(command: CommandLine) -> None:
    assert "nowhere.py: " in command("dags", "validate", "nowhere.py", expect=1).out
    assert "nowhere" in command("dags", "validate", "nowhere.yaml", "dags", expect=1).out
