"""A worker uses the files of DAGs as they are now."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from workers.executors.fresh_modules import import_fresh


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    settings.SKYTRAIL_DAGS_DIR = tmp_path
    path, modules = list(sys.path), set(sys.modules)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def test_a_module_is_taken_anew_when_it_or_what_it_imports_has_changed(folder: Path) -> None:
    (folder / "common_to_all.py").write_text("WORD = 'one'\n")
    (folder / "of_a_dag.py").write_text("from common_to_all import WORD\n")
    assert import_fresh("of_a_dag").WORD == "one"
    assert import_fresh("of_a_dag") is import_fresh("of_a_dag"), "as long as nothing changes"
    (folder / "common_to_all.py").write_text("WORD = 'two'\n")
    assert import_fresh("of_a_dag").WORD == "two"
    assert not list(folder.glob("**/*.pyc")), "which would be taken for current a moment too long"


def test_what_others_use_is_left_alone(folder: Path) -> None:
    (folder / "of_another_dag.py").write_text("import json\n")
    module = import_fresh("of_another_dag")
    (folder / "of_another_dag.py").write_text("import json  # and more\n")
    again = import_fresh("of_another_dag")
    assert again is not module
    assert again.json is sys.modules["json"] is module.json
