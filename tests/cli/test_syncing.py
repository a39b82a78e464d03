"""`skytrail sync`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine

pytestmark = pytest.mark.django_db(transaction=True)

GOOD = "from skytrail.sdk import *\nwith DAG({!r}): Empty('a')\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags/good.py").write_text(GOOD.format("good"))
    return tmp_path


def test_what_became_of_each_dag_is_told_with_a_summary(command: CommandLine) -> None:
    said = command("sync", "dags")
    assert said.out.splitlines() == ["+ good good.py", "1 file: 1 created"]
    assert command("sync", "dags").out == "1 file: 1 unchanged\n"
    Path("dags/other.yaml").write_text("name: other\ntasks:\n- id: a\n")
    Path("dags/good.py").unlink()
    said = command("sync", "dags", "--dry-run")
    assert said.out.splitlines()[-1] == (
        "1 file: 1 created, 1 paused as gone; nothing was saved (dry run)"
    )
    assert command("sync", "dags", "-o", "plain").out == (
        "gone\tgood\tgood.py\ncreated\tother\tother.yaml\n"
    )


def test_what_is_wrong_is_said_with_its_line_and_the_rest_is_saved(command: CommandLine) -> None:
    Path("dags/bad.py").write_text("import skytrail\n1 / 0\n")
    said = command("sync", "dags", expect=1)
    assert said.err.splitlines() == [
        f"{Path('dags/bad.py').absolute()}:2:1: ZeroDivisionError: division by zero"
    ]
    assert said.out.splitlines() == ["+ good good.py", "2 files: 1 created, 1 error"]


def test_what_is_wrong_is_listed_until_it_is_put_right(command: CommandLine) -> None:
    assert "There are none" in command("dags", "list-import-errors").out
    Path("dags/bad.py").write_text("import skytrail\n1 / 0\n")
    command("sync", "dags", expect=1)
    (row,) = command("dags", "list-import-errors", "-o", "json").json
    assert (row["file"], row["line"]) == ("bad.py", 2)
    assert "1 / 0" in row["traceback"]
    Path("dags/bad.py").unlink()
    command("sync", "dags")
    assert command("dags", "list-import-errors", "-o", "json").json == []


def test_a_program_gets_the_same_as_json(command: CommandLine) -> None:
    found = command("sync", "dags", "-o", "json").json
    assert (found["created"], found["errors"]) == (1, [])
    assert found["dags"] == [{"dag_id": "good", "file": "good.py", "outcome": "created"}]


def test_a_definition_from_a_file_is_not_saved_by_another_door(command: CommandLine) -> None:
    command("sync", "dags")
    Path("mine.yaml").write_text("name: good\ntasks:\n- id: mine\n")
    assert "comes from the file" in command("dags", "save", "mine.yaml", expect=5).err


def test_a_folder_that_has_lost_its_files_is_refused(command: CommandLine) -> None:
    command("sync", "dags")
    Path("dags/good.py").unlink()
    assert "is it mounted?" in command("sync", "dags", expect=5).err
    assert "1 paused as gone" in command("sync", "dags", "--allow-empty").out
    assert "There is no folder" in command("sync", "nowhere", expect=4).err
