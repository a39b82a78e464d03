"""What authors write is checked by mypy: good files pass, and each mistake is found at its line."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.authoring.typing import good
from tests.house.source import ROOT

_FILES = Path(good.__file__).parent


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, int, str]]:
    """File, line and code of each of mypy's findings, as of somebody else's project."""
    cache = tmp_path_factory.mktemp("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={cache}"]
    done = subprocess.run(
        [*command, _FILES / "good.py", _FILES / "wrong.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return {
        (Path(line[1]).name, int(line[2]), line[3])
        for line in re.finditer(r"^(\S+):(\d+): error: .*\[([\w-]+)\]$", done.stdout, re.MULTILINE)
    }


def test_a_file_that_uses_everything_has_no_errors(found: set[tuple[str, int, str]]) -> None:
    assert {finding for finding in found if finding[0] != "wrong.py"} == set()


def test_each_mistake_is_found_where_it_is(found: set[tuple[str, int, str]]) -> None:
    expected = {
        ("wrong.py", number, code)
        for number, line in enumerate((_FILES / "wrong.py").read_text().splitlines(), 1)
        if "# E:" in line
        for code in re.findall(r"\[([\w-]+)\]", line.partition("# E:")[2])
    }
    assert found - {finding for finding in found if finding[0] != "wrong.py"} == expected


def test_what_the_type_checker_takes_is_a_definition() -> None:
    for dag in (good.made, good.also_made, good.classic, good.built):
        assert dag.spec().name == dag.dag_id
