"""For pytest: in a `conftest.py`, `pytest_plugins = ["skytrail.testing.plugin"]`.

The fixture `run_dag` is the function of that name; where the test fails, what became of the runs is
part of its report.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from skytrail import testing
from skytrail.testing.results import RunResult


@pytest.fixture
def run_dag(request: pytest.FixtureRequest) -> Callable[..., RunResult]:
    """Runs a DAG in this process: see `skytrail.testing.run_dag`."""

    def run(dag: Any, **how: Any) -> RunResult:
        result = testing.run_dag(dag, **how)
        request.node.add_report_section("call", f"run of {result.dag_id}", repr(result))
        return result

    return run
