"""Which files below a folder may define DAGs."""

from __future__ import annotations

from pathlib import Path

import pytest

from skytrail.documents.finding import NoSuchFolder, find_files


def _found(root: Path) -> list[str]:
    return [file.relative_to(root).as_posix() for file in find_files(root)]


def _write(root: Path, *names: str, text: str = "from skytrail.sdk import DAG\n") -> None:
    for name in names:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def test_python_that_speaks_of_dags_and_every_definition_as_data(tmp_path: Path) -> None:
    _write(tmp_path, "b.py", "a.yaml", "sub/c.yml", "sub/deep/d.json", "notes.md")
    _write(tmp_path, "plain.py", text="x = 1\n")
    assert _found(tmp_path) == ["a.yaml", "b.py", "sub/c.yml", "sub/deep/d.json"]


def test_what_is_hidden_is_left_alone(tmp_path: Path) -> None:
    _write(tmp_path, ".venv/a.py", ".hidden.py", "__pycache__/b.py", "c.py")
    assert _found(tmp_path) == ["c.py"]


def test_an_ignore_file_speaks_as_gits_does(tmp_path: Path) -> None:
    _write(tmp_path, "a.py", "draft_b.py", "keep/draft_c.py", "old/d.py", "sub/old/e.yaml")
    _write(tmp_path, ".skytrailignore", text="# not these\ndraft_*\n!keep/draft_c.py\nold/\n")
    assert _found(tmp_path) == ["a.py", "keep/draft_c.py"]


def test_links_that_lead_in_a_circle_or_nowhere_do_no_harm(tmp_path: Path) -> None:
    _write(tmp_path, "a.py")
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "lost.py").symlink_to(tmp_path / "nowhere.py")
    assert _found(tmp_path) == ["a.py"]


def test_a_folder_that_is_not_there_is_no_empty_one(tmp_path: Path) -> None:
    with pytest.raises(NoSuchFolder, match="nowhere"):
        find_files(tmp_path / "nowhere")
