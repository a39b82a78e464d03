"""What `docs/templates.md` says that templates come to, they come to."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from skytrail.testing import run_dag

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "templates.md"
ROWS = re.findall(r"^\| `(\{[{%][^`]*)` \| (`.+?`) \|", PAGE.read_text(), re.MULTILINE)

FETCHED = {"rows": [{"id": 7}, {"id": 8}], "place": "north"}


def _filled_in(texts: list[str]) -> list[object]:
    dag = {
        "name": "shop",
        "schedule": "@daily",
        "start_date": "2026-01-01",
        "params": {"city": "Seattle", "days": 3},
        "tasks": [
            {"id": "fetch"},
            {
                "id": "load",
                "type": "python",
                "callable": "tests.workers.chores.give",
                "args": [texts],
                "depends_on": ["fetch"],
            },
        ],
    }
    result = run_dag(
        dag,
        logical_date=datetime(2026, 1, 31, 9, 30, tzinfo=UTC),
        outputs={"fetch": FETCHED},
        connections={"dwh": "postgresql://etl:s3cret@db.example.org:5432/sales"},
        variables={"region": "north", "limits": '{"rows": 5}'},
    )
    assert result.state == "success", result
    found: list[object] = result["load"].output
    return found


def test_there_are_enough() -> None:
    assert len(ROWS) > 30


@pytest.mark.parametrize(("template", "shown"), ROWS)
def test_a_template_comes_to_what_is_documented(template: str, shown: str) -> None:
    (value,) = _filled_in([template.replace("\\|", "|")])
    said = value if isinstance(value, str) else repr(value)
    assert f"`{said}`" == shown
