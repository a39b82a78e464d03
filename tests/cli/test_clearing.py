"""`skytrail tasks clear`, `runs clear --conf` and `runs repeat`."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.cli.conftest import CommandLine
from tests.conveyor import Conveyor
from tests.factories import save_dag, start_run

pytestmark = pytest.mark.usefixtures("committing")


@pytest.fixture(autouse=True)
def _story(committing: None, conveyor: Conveyor) -> None:
    dag = save_dag({"a": []}, params={"day": 1})
    for number in (1, 2):
        start_run(dag, run_id=f"r{number}", logical_date=datetime(2026, 1, number, tzinfo=UTC))
    conveyor.run()


STRETCH = ("--from=2026-01-01", "--to=2026-01-31")


def test_a_stretch_is_listed_and_cleared(command: CommandLine) -> None:
    planned = command("tasks", "clear", "story", *STRETCH, "--dry-run", "-o", "json").json
    assert [row["run_id"] for row in planned] == ["r1", "r2"]
    assert command("tasks", "clear", "story", *STRETCH, "-o", "json").json == planned
    assert "No run of that time" in command("tasks", "clear", "story", *STRETCH).out


def test_a_run_gets_another_conf(command: CommandLine) -> None:
    command("runs", "clear", "story", "r1", '--conf={"day": 7}')
    assert command("runs", "show", "story", "r1", "-o", "json").json["conf"] == {"day": 7}


def test_a_run_is_repeated(command: CommandLine) -> None:
    made = command("runs", "repeat", "story", "r1", "-o", "json").json
    assert made["repeats"] == "r1"
