"""The figures, as a table for people and as JSON for comparing."""

from __future__ import annotations

import json
import os
import platform
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

#: An API call on an idle system should have its task begun within this many seconds.
DELAY_GOAL = 0.025


@dataclass(frozen=True)
class Line:
    """One measurement: seconds of each round, and how many tasks each round was.

    `goal` is the least ratio of the speeds; None where the goal is a time.
    """

    name: str
    kind: str
    tasks: int
    bare: list[float]
    skytrail: list[float]
    goal: float | None

    @property
    def ratio(self) -> float:
        """Skytrail's speed as a part of bare Celery's: medians over the rounds of one run."""
        return statistics.median(self.bare) / statistics.median(self.skytrail)

    @property
    def is_met(self) -> bool:
        if self.goal is None:
            return statistics.median(self.skytrail) <= DELAY_GOAL
        return self.ratio >= self.goal

    def cells(self) -> list[str]:
        per_task = [statistics.median(times) / self.tasks for times in (self.bare, self.skytrail)]
        return [
            self.name,
            self.kind,
            *(f"{seconds * 1000:.2f} ms" for seconds in per_task),
            f"{self.ratio:.2f}" if self.goal else "–",
            f"≥ {self.goal:.2f}" if self.goal else f"≤ {DELAY_GOAL * 1000:.0f} ms",
            "met" if self.is_met else "missed",
        ]


def show(lines: list[Line], *, about: str) -> None:
    """Prints the table."""
    table = Table(title=about, title_justify="left")
    for heading in ("work", "task", "bare Celery", "Skytrail", "speed ratio", "goal", ""):
        table.add_column(heading, justify="left" if heading in {"work", "task", ""} else "right")
    for line in lines:
        table.add_row(*line.cells())
    console = Console(width=110)
    console.print(table)
    console.print(
        "Times are per task, medians over the rounds; the delay is from the call to the start."
    )


def save(lines: list[Line], where: Path, **about: Any) -> None:
    """Writes everything measured as JSON."""
    figures = [
        {**asdict(line), "ratio": line.ratio if line.goal else None, "met": line.is_met}
        for line in lines
    ]
    machine = {
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
        "cores": os.cpu_count(),
    }
    where.write_text(json.dumps({**about, "machine": machine, "lines": figures}, indent=2) + "\n")
