"""The staircase holds every module; import-linter holds the staircase (`make check`)."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

from tests.house.source import ROOT

TOP_LEVEL = {"skytrail", "dags_app", "runs_app", "workers", "tests"}


def test_every_module_of_the_assembly_has_a_step() -> None:
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text())
    staircase = configuration["tool"]["importlinter"]["contracts"][0]["layers"]
    named = set(re.findall(r"skytrail\.(\w+)", " ".join(staircase)))
    there = {
        path.stem
        for path in (ROOT / "skytrail").iterdir()
        if path.stem != "__init__" and (path.suffix == ".py" or (path / "__init__.py").exists())
    }
    # Settings are read by everybody, through Django.
    assert there - {"settings"} == named


def test_the_fixed_names_are_at_the_top() -> None:
    fixed = {"manage.py", "pyproject.toml", "docker-compose.yml", *TOP_LEVEL}
    assert fixed <= {path.name for path in ROOT.iterdir()}


def test_both_apps_have_the_same_shelves() -> None:
    for app in ("dags_app", "runs_app"):
        there = {path.stem for path in (ROOT / app).iterdir()}
        assert {"api", "admin", "actions", "access", "models", "domain"} <= there


def test_models_and_migrations_agree() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
