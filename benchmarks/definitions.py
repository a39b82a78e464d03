"""What definitions cost: registering many over the API, and planning a very large one.

    python -m benchmarks.definitions

Both have a goal in seconds of this machine; the planning is pure, and needs no servers.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks import installation
from benchmarks.cases import fan, row
from dags_app.domain.tasks import TriggerRule
from runs_app.domain import blocks, planner
from runs_app.domain.graph import Graph, Node
from runs_app.domain.states import TaskState

DAGS, TASKS_EACH = 1_000, 10
REGISTERING_GOAL = 60.0

TASKS = 10_000
PLANNING_GOAL = 1.0
ROUNDS = 5


def main() -> None:
    """See the module."""
    table = Table(title_justify="left")
    for heading in ("what", "seconds", "goal", ""):
        table.add_column(heading)
    for what, seconds, goal in [*_planning(), _registering()]:
        table.add_row(
            what, f"{seconds:.2f}", f"≤ {goal:.0f}", "met" if seconds <= goal else "missed"
        )
    Console(width=100).print(table)


def _registering() -> tuple[str, float, float]:
    with (
        tempfile.TemporaryDirectory(prefix="skytrail-benchmark-") as folder,
        installation.skytrail(Path(folder), concurrency=1) as running,
        httpx.Client(headers={"Authorization": f"Bearer {running.token}"}, timeout=30) as client,
    ):
        began = time.monotonic()
        for number in track(range(DAGS), description="registering", transient=True):
            client.post(f"{running.url}/api/v1/dags", json=_document(number)).raise_for_status()
        seconds = time.monotonic() - began
    return (
        f"{DAGS:,} DAGs of {TASKS_EACH} tasks over the API, one by one",
        seconds,
        REGISTERING_GOAL,
    )


def _document(number: int) -> dict[str, object]:
    return {
        "name": f"dag_{number:04}",
        "schedule": "@daily",
        "tasks": [
            {
                "id": f"t{place}",
                "depends_on": [f"t{place - 1}"] if place else [],
                "type": "bash",
                "command": f"echo {number} {place}",
            }
            for place in range(TASKS_EACH)
        ],
    }


def _planning() -> Iterator[tuple[str, float, float]]:
    for name, edges in {
        f"planning a fan of {TASKS:,}": fan(TASKS - 1),
        f"planning a chain of {TASKS:,}": row(TASKS),
        f"planning {TASKS:,} tasks in layers of 100": _layers(TASKS // 100, 100),
    }.items():
        graph = _graph(edges)
        yield name, statistics.median(_planned(graph) for _ in range(ROUNDS)), PLANNING_GOAL


def _planned(graph: Graph) -> float:
    """The slowest of: the start, the middle, and the end with one failure."""
    return max(_timed(graph, done) for done in (0, len(graph) // 2, len(graph) - 1))


def _timed(graph: Graph, done: int) -> float:
    standings = {
        position: planner.Standing(TaskState.SUCCESS if position < done else TaskState.WAITING)
        for position in range(len(graph))
    }
    began = time.perf_counter()
    plan = planner.plan(graph, standings)
    blocks.cut(graph, plan.ready, waits=lambda position: position >= done)
    return time.perf_counter() - began


def _layers(count: int, width: int) -> dict[str, list[str]]:
    """Layers whose tasks await three of the layer before."""
    return {
        f"l{layer}_{place}": [f"l{layer - 1}_{(place + step) % width}" for step in range(3)]
        if layer
        else []
        for layer in range(count)
        for place in range(width)
    }


def _graph(edges: dict[str, list[str]]) -> Graph:
    position_of = {name: position for position, name in enumerate(edges)}
    return Graph(
        [
            Node(
                position=position_of[name],
                task_id=name,
                upstream=tuple(sorted(position_of[up] for up in upstream)),
                trigger_rule=TriggerRule.ALL_SUCCESS,
            )
            for name, upstream in edges.items()
        ]
    )


if __name__ == "__main__":
    main()
