"""What tasks are told about other runs, and by people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OtherRun:
    """A run of another DAG: its state, and for each task asked about those of its instances."""

    run_id: str
    state: str
    tasks: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was chosen where an approval was asked for, by whom, and why."""

    choice: str
    by: str
    note: str
