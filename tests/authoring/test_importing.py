"""Importing the SDK is quick, and needs nothing that a laptop without servers does not have."""

from __future__ import annotations

import subprocess
import sys

from tests.house.source import ROOT

_HEAVY = ("django", "celery", "redis", "psycopg", "httpx", "jinja2", "pydantic", "jsonschema")


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_the_sdk_imports_nothing_heavy() -> None:
    program = f"import sys, skytrail.sdk; print([n for n in {_HEAVY!r} if n in sys.modules])"
    assert run(program) == "[]"


def test_a_definition_is_checked_without_django_and_celery() -> None:
    program = """
import sys
from skytrail.sdk import DAG, Empty, TriggerRule
with DAG("d") as dag:
    Empty("a", trigger_rule=TriggerRule.ALL_DONE)
dag.spec()
print([name for name in ("django", "celery", "redis", "psycopg") if name in sys.modules])
"""
    assert run(program) == "[]"


def test_all_that_is_offered_is_there() -> None:
    program = "from skytrail.sdk import *; import skytrail.sdk; print(len(skytrail.sdk.__all__))"
    assert int(run(program)) > 30
