"""The pipeline that docs/coming_from_celery.md shows, as a canvas and as a DAG, does one thing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from examples.coming_from import celery_tasks
from skytrail.testing import run_dag
from tests.house.source import ROOT

FOLDER = ROOT / "examples" / "coming_from"
PAGE = (ROOT / "docs" / "coming_from_celery.md").read_text()
DAY = "2026-01-31"
TOLD = ["accounting: 62 have been invoiced", "sales: 62 have been invoiced"]

#: In a process of its own: an application of its own, and a worker in a thread.
_WITH_A_WORKER = f"""
from celery import Celery
from celery.contrib.testing.worker import start_worker

app = Celery("shop", broker="memory://", backend="cache+memory://")
app.set_default()

from examples.coming_from.celery_canvas import nightly

with start_worker(app, pool="threads", concurrency=2, perform_ping_check=False):
    print(nightly("{DAY}").delay().get(timeout=60))
"""


@pytest.mark.parametrize("name", ["celery_tasks.py", "celery_canvas.py", "celery_dag.py"])
def test_the_page_shows_the_files(name: str) -> None:
    assert f"```python\n{(FOLDER / name).read_text()}```" in PAGE


def test_the_canvas_does_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WITH_A_WORKER],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.stdout.strip() == str(TOLD), done.stderr


def test_the_dag_does_the_same() -> None:
    result = run_dag(FOLDER / "celery_dag.py", logical_date=DAY)
    assert result.state == "success", result
    assert [each.output for each in result["invoice"].instances] == [20, 35, 7]
    assert [result[f"tell_{whom}"].output for whom in ("accounting", "sales")] == TOLD


def test_one_that_fails_at_first_is_tried_again_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def unreachable_at_first(order: int, day: str) -> int:
        tries.append(order)
        if tries.count(order) == 1 and order == 102:
            raise ConnectionError("the bank does not answer")
        return celery_tasks.ORDERS[day][order]

    monkeypatch.setattr(celery_tasks.invoice, "run", unreachable_at_first)
    result = run_dag(FOLDER / "celery_dag.py", logical_date=DAY)
    assert result.state == "success", result
    assert tries == [101, 102, 103, 102]
    assert result["add_up"].output == 62


def test_a_day_without_orders_has_nothing_to_do() -> None:
    result = run_dag(FOLDER / "celery_dag.py", logical_date="2026-02-01")
    assert result.states["invoice"] == "skipped"
    assert result.states["tell_sales"] == "skipped"
