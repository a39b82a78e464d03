"""What is shown and saved."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from chaos.case import Case, Goal, Options
from chaos.verdict import Findings, Spread


@dataclass(frozen=True)
class Result:
    """One case: what was found, what it was measured by, and how long it took in seconds."""

    case: Case
    goals: Sequence[Goal]
    found: Findings | None
    seconds: float
    error: str = ""

    @property
    def is_met(self) -> bool:
        return not self.error and all(goal.met for goal in self.goals)


_HEADINGS = (
    "case", "tasks", "faults", "lost", "repeated", "beyond", "false alarms", "zombies refused",
    "recovery p50", "p95", "longest", "",
)  # fmt: skip


def _cells(result: Result) -> list[str]:
    verdict = _word(result.is_met)
    name = f"{result.case.id} {result.case.title}"
    if result.found is None:
        return [name, *["–"] * (len(_HEADINGS) - 2), verdict]
    found = result.found
    spread = Spread.of(found.everything_recovered)
    times = [spread.p50, spread.p95, spread.longest] if spread else []
    return [
        name,
        str(len(found.tasks)),
        str(len(found.faults)),
        str(len(found.lost)),
        str(found.repeated),
        str(len(found.beyond)),
        str(len(found.false_alarms)),
        f"{found.zombies_refused} of {found.zombies}" if found.zombies else "–",
        *([f"{seconds:.1f} s" for seconds in times] or ["–"] * 3),
        verdict,
    ]


def _word(met: bool) -> str:  # noqa: FBT001  # a word for a truth
    return "met" if met else "missed"


def show(results: Sequence[Result], console: Console, *, about: str) -> None:
    """Prints the table, and under it every goal that was missed."""
    table = Table(title=about, title_justify="left")
    for heading in _HEADINGS:
        table.add_column(heading, justify="left" if heading in {"case", ""} else "right")
    for result in results:
        table.add_row(*_cells(result))
    console.print(table)
    for result in results:
        explain(result, console)


def explain(result: Result, console: Console) -> None:
    """Prints what was missed, and why."""
    if result.is_met:
        return
    console.print(f"{result.case.id}: {result.error or 'goals were missed'}", markup=False)
    for goal in result.goals:
        if not goal.met:
            console.print(f"  {goal.what}: {goal.found} (allowed: {goal.allowed})", markup=False)
    if result.found is not None:
        found = result.found
        for line in [*found.lost, *found.beyond, *found.false_alarms, *found.broken][:20]:
            console.print(f"    {line}", markup=False)
        for story in found.stories(longer_than=10):
            console.print(f"    {story}", markup=False)


def machine() -> dict[str, Any]:
    """Where it was measured."""
    return {
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
        "cores": os.cpu_count(),
        # How many processes wanted one of them, on average over the last minutes: above the number
        # of cores others were at work here too, and times are longer for it.
        "load": round(os.getloadavg()[2], 1),
    }


def save(results: Sequence[Result], where: Path, options: Options) -> None:
    """Writes everything as JSON."""
    document = {
        "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ}",
        **asdict(options),
        "machine": machine(),
        "cases": [
            {
                "id": result.case.id,
                "title": result.case.title,
                "seconds": round(result.seconds, 1),
                "met": result.is_met,
                "error": result.error,
                "goals": [asdict(goal) for goal in result.goals],
                "found": result.found.figures() if result.found else None,
            }
            for result in results
        ],
    }
    where.write_text(json.dumps(document, indent=2) + "\n")


def save_markdown(results: Sequence[Result], where: Path, options: Options) -> None:
    """Writes the table, and each case's goals, as a page."""
    there = machine()
    lines = [
        "<!-- Made by `python -m chaos --markdown`: change the code, not this page. -->",
        "",
        "# The chaos suite, measured",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, seed {options.seed}, a lease of {options.lease} s,",
        f"Python {there['python']} on {there['cores']} cores (load {there['load']}).",
        "`make chaos` repeats it; what is counted how is told in `chaos/verdict.py`.",
        "",
        "| " + " | ".join(heading or "goals" for heading in _HEADINGS) + " |",
        "|---" + "|---:" * (len(_HEADINGS) - 2) + "|---|",
        *("| " + " | ".join(_cells(result)) + " |" for result in results),
        "",
    ]
    for result in results:
        lines += [
            f"## {result.case.id}: {result.case.title}",
            "",
            "| goal | found | allowed | |",
            "|---|---|---|---|",
            *(
                f"| {goal.what} | {goal.found} | {goal.allowed} | {_word(goal.met)} |"
                for goal in result.goals
            ),
            "",
        ]
    where.write_text("\n".join(lines).rstrip() + "\n")
