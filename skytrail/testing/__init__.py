"""Testing DAGs: a whole run in the test's own process, without broker and database.

    from skytrail.testing import run_dag

    def test_the_report_is_sent():
        result = run_dag("dags/report.yaml", conf={"day": "2026-01-31"}, outputs={"fetch": [1, 2]})
        assert result.state == "success"
        assert result["send"].output == {"lines": 2}

What decides is what decides in production: the same planner, rendering, retries and executors. Code
in Python runs in this very process, so what a test patches is patched for it. Nothing is waited
for: what is left out of a wait counts as passed. `skytrail.testing.plugin` has a fixture.
"""

from skytrail.testing.results import RunResult, TaskResult
from skytrail.testing.running import run_dag

__all__ = ["RunResult", "TaskResult", "run_dag"]
