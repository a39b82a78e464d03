"""The DAG that docs/coming_from_airflow.md shows is a file, and does what it does in Airflow."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from skytrail.testing import RunResult, run_dag
from tests.house.source import ROOT

FILE = ROOT / "examples" / "coming_from" / "airflow.py"
PAGE = (ROOT / "docs" / "coming_from_airflow.md").read_text()

#: A Monday, and the Friday before, whose sales it is for.
MONDAY = "2026-02-09T05:00:00+00:00"
FRIDAY = "2026-02-06"


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    file = tmp_path / "warehouse.db"
    with sqlite3.connect(file) as made:
        made.execute("CREATE TABLE sales (day text, total int)")
    return file


def _run(folder: Path, warehouse: Path, **shops: str) -> RunResult:
    (folder / FRIDAY).mkdir()
    for shop, rows in shops.items():
        (folder / FRIDAY / f"{shop}.csv").write_text(f"amount\n{rows}")
    return run_dag(
        FILE,
        logical_date=MONDAY,
        conf={"folder": str(folder)},
        connections={"warehouse": {"conn_type": "sqlite", "schema": str(warehouse)}},
    )


def _sales(warehouse: Path) -> list[Any]:
    with sqlite3.connect(warehouse) as looked_at:
        return looked_at.execute("SELECT day, total FROM sales").fetchall()


def test_the_page_shows_the_file() -> None:
    assert f"```python\n{FILE.read_text()}```" in PAGE


def test_what_it_shows_of_airflow_is_python() -> None:
    (block,) = re.findall(r"```python\n(import csv\n.*?)```", PAGE, re.DOTALL)
    assert "from airflow.sdk import" in block
    compile(block, "daily_sales.py", "exec")


def test_fridays_sales_are_loaded_on_monday(tmp_path: Path, warehouse: Path) -> None:
    result = _run(tmp_path, warehouse, north="3\n4\n", south="5\n")
    assert result.state == "success", result
    assert result["extract"].output == [7, 5]
    assert result.states["ask_shops"] == "skipped"
    assert result["report"].log == f"{FRIDAY}: 12\n"
    assert _sales(warehouse) == [(FRIDAY, 12)]


def test_where_nothing_was_sold_the_branch_takes_the_other_way(
    tmp_path: Path, warehouse: Path
) -> None:
    result = _run(tmp_path, warehouse, north="0\n")
    assert result.state == "success", result
    assert result.states["load"] == "skipped"
    assert result["ask_shops"].log == f"nothing sold on {FRIDAY}?\n"
    assert result.states["report"] == "success"
    assert _sales(warehouse) == []


def test_a_file_that_cannot_be_read_is_tried_four_times(tmp_path: Path, warehouse: Path) -> None:
    result = _run(tmp_path, warehouse, north="3\n", south="many\n")
    assert result.state == "failed"
    assert [each.attempts for each in result["extract"].instances] == [1, 4]
    assert result.states["report"] == "upstream_failed"
    assert _sales(warehouse) == []
