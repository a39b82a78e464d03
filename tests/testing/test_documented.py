"""The example of docs/testing.md, as somebody would write it down and run it: without Django's
settings, a database or a broker.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import ROOT

PAGE = (ROOT / "docs" / "testing.md").read_text()

#: A block of a document with the name of a file in its first line: `# dags/report.py`.
_FILE = re.compile(r"```(?:python|yaml)\n# (\S+)\n(.*?)```", re.DOTALL)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in _FILE.findall(PAGE):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def _run(project: Path, *command: str) -> subprocess.CompletedProcess[str]:
    ours = {"DJANGO_SETTINGS_MODULE", "DATABASE_URL", "REDIS_URL"}
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    return subprocess.run(
        [sys.executable, *command],
        cwd=project,
        env={**environment, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _pytest(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Not as the project that has it installed: its plugins are no part of the example.
    plain = ["-p", "no:django", "-p", "no:xdist", "-p", "no:hypothesispytest"]
    return _run(project, "-m", "pytest", "-q", *plain, *arguments)


def test_the_documented_tests_pass(project: Path) -> None:
    done = _pytest(project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


def test_a_test_that_fails_shows_what_became_of_the_run(project: Path) -> None:
    report = project / "dags" / "report.py"
    report.write_text(report.read_text().replace("len(lines)", "len(lines) / 0"))
    done = _pytest(project)
    assert done.returncode == 1
    assert "run of report" in done.stdout
    assert "count failed: ZeroDivisionError" in done.stdout


def test_the_documented_commands_work(project: Path) -> None:
    said = _run(project, "-m", "skytrail.cli", "dags", "test", "dags/report.py", "2026-01-31")
    assert said.returncode == 0, said.stdout + said.stderr
    assert "✓ success  count" in said.stdout
    for script in (["-m", "dags.report"], ["dags/report.py"]):
        alone = _run(project, *script)
        assert "✓ success  the run" in alone.stdout, alone.stderr
