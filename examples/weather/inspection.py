"""Whether what the archive delivered can be believed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from examples.weather import days
from examples.weather.days import Day

#: The output is to stay small; the log has them all.
_MOST_SHOWN = 10


def inspect(file: str) -> dict[str, Any]:
    """The verdict: `{"verdict": "good" | "bad", "days": …, "problems": […]}`."""
    measured = list(days.read(file))
    problems = list(_problems(measured))
    for problem in problems:
        print(problem)
    print(f"{len(measured):,} days looked at, {len(problems)} problems")
    return {
        "verdict": "bad" if problems else "good",
        "days": len(measured),
        "problems": problems[:_MOST_SHOWN],
    }


def quarantine(file: str, problems: list[str]) -> dict[str, str]:
    """Puts a file that cannot be believed aside, with the reasons beside it."""
    folder = Path(file).parent / "quarantine"
    folder.mkdir(exist_ok=True)
    reasons = folder / "problems.json"
    reasons.write_text(json.dumps(problems, indent=2))
    aside = Path(file).replace(folder / Path(file).name)
    print(f"put aside: {aside}")
    return {"file": str(aside), "reasons": str(reasons)}


def _problems(measured: Sequence[Day]) -> Iterator[str]:
    for day in measured:
        if day.precipitation < 0:
            yield f"{day.date}: {day.precipitation} mm of rain"
        if day.highest < day.lowest:
            yield f"{day.date}: its highest temperature is below its lowest"
    for before, after in itertools.pairwise(measured):
        if after.date - before.date != timedelta(days=1):
            yield f"{before.date} is followed by {after.date}"
