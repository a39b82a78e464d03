"""Waiting for whatever a function can tell: it is called again and again until it says yes."""

from __future__ import annotations

from pathlib import Path

from skytrail.sdk import dag, task


@task.sensor(poke_interval=10, timeout=3600)
def has_settled(folder: str) -> int:
    """How many files there are, if none of them is still being written."""
    # What it returns is its output once it is true; 0 means: look again.
    return sum(1 for file in Path(folder).glob("*") if file.suffix != ".part")


@task
def load(files: int) -> str:
    return f"{files} files"


@dag(
    description="Files are loaded when there are any, and none is half written.",
    owner="examples",
    tags=["example", "pattern"],
    params={"folder": "/etc"},
)
def pattern_sensor() -> None:
    load(has_settled("{{ params.folder }}"))  # type: ignore[arg-type]


pattern_sensor()
