"""What is measured: the shapes, their sizes, and the goals that the design sets for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Graph = dict[str, list[str]]

#: What each task does: nothing in Python, or a shell that does nothing.
KINDS = ("python", "bash")

WIDTH = 1000
LENGTH = 100
DIAMONDS = 100


def fan(width: int) -> Graph:
    """Tasks side by side, and one that waits for all."""
    side_by_side: Graph = {f"t{place}": [] for place in range(width)}
    return {**side_by_side, "join": list(side_by_side)}


def row(length: int) -> Graph:
    """Tasks one after the other."""
    return {f"t{place}": [f"t{place - 1}"] if place else [] for place in range(length)}


def diamond() -> Graph:
    """One task, three side by side, one that waits for the three."""
    return {"a": [], "b1": ["a"], "b2": ["a"], "b3": ["a"], "c": ["b1", "b2", "b3"]}


def single() -> Graph:
    """A lone task."""
    return {"t": []}


@dataclass(frozen=True)
class Case:
    """A shape, run `runs` times at once. `tasks` is how many tasks that makes.

    `goal` is the least ratio of speeds, Skytrail to bare Celery, that is good enough.
    """

    name: str
    graph: Graph
    runs: int
    goal: float

    @property
    def tasks(self) -> int:
        return len(self.graph) * self.runs


def cases(scale: float) -> list[Case]:
    """All shapes; `scale` below 1 makes them smaller, for a quick look."""

    def sized(number: int) -> int:
        return max(2, round(number * scale))

    return [
        Case(f"fan of {sized(WIDTH)} and join", fan(sized(WIDTH)), 1, 0.8),
        # A hop may take 1.2 times as long.
        Case(f"chain of {sized(LENGTH)}", row(sized(LENGTH)), 1, 1 / 1.2),
        Case(f"{sized(DIAMONDS)} diamonds of five", diamond(), sized(DIAMONDS), 0.6),
    ]


def command(kind: str) -> dict[str, Any]:
    """The command of a task of this kind."""
    if kind == "bash":
        return {"type": "bash", "command": "true"}
    return {"type": "python", "callable": "benchmarks.work.nothing"}


def document(name: str, graph: Graph, kind: str) -> dict[str, Any]:
    """A DAG of this shape. Its runs do not wait for each other: bare canvases do not either."""
    return {
        "name": name,
        "max_active_runs": 10_000,
        "tasks": [
            {"id": task, "depends_on": upstream, **command(kind)}
            for task, upstream in graph.items()
        ],
    }
