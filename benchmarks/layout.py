"""How long graphs take to be laid out, by size and shape.

    python -m benchmarks.layout

Pure, and needs no servers. The last ones are the worst that a definition may ask for and that is
still drawn: as many edges as there may be, all upon all or as long as can be.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.table import Table

from benchmarks.cases import fan, row
from dags_app.domain.layout import lay_out

Upstream = dict[str, list[str]]

SIZES = (10, 50, 300, 1_000, 10_000)
#: In seconds, by size.
GOALS = {300: 0.2, 1_000: 1.0, 10_000: 5.0}
WORST_GOAL = 5.0
ROUNDS = 5


def main() -> None:
    """See the module."""
    table = Table(title_justify="left")
    for heading in ("graph", "tasks", "edges", "milliseconds", "goal", ""):
        table.add_column(heading, justify="right" if heading != "graph" else "left")
    for name, upstream, goal in _graphs():
        seconds = statistics.median(_timed(upstream) for _ in range(ROUNDS))
        edges = sum(map(len, upstream.values()))
        met = "" if goal is None else "met" if seconds <= goal else "missed"
        table.add_row(
            name,
            f"{len(upstream):,}",
            f"{edges:,}",
            f"{1000 * seconds:.1f}",
            "" if goal is None else f"≤ {1000 * goal:,.0f}",
            met,
        )
    Console(width=100).print(table)


def _graphs() -> Iterator[tuple[str, Upstream, float | None]]:
    shapes: dict[str, Callable[[int], Upstream]] = {
        "layers": _layers,
        "any": _any,
        "fan": lambda size: fan(size - 1),
        "chain": row,
    }
    for name, shape in shapes.items():
        for size in SIZES:
            yield name, shape(size), GOALS.get(size)
    yield "all upon all", _all_upon_all(200, 200), WORST_GOAL
    yield "all upon all", _all_upon_all(1_000, 50), WORST_GOAL
    yield "long edges", _long(1_000, 5), WORST_GOAL
    yield "long edges", _long(2_000, 24), WORST_GOAL


def _timed(upstream: Upstream) -> float:
    began = time.perf_counter()
    lay_out(upstream)
    return time.perf_counter() - began


def _layers(size: int) -> Upstream:
    """As wide as deep; each awaits one to three of the layer before, some one from far behind."""
    dice = random.Random(size)
    width = max(2, round(size**0.5))
    upstream: Upstream = {}
    for place in range(size):
        start = (place // width - 1) * width
        before = {start + dice.randrange(width) for _ in range(dice.choice((1, 1, 1, 2, 2, 3)))}
        if start > 0 and dice.random() < 0.15:
            before.add(dice.randrange(start))
        upstream[f"t{place}"] = [f"t{each}" for each in sorted(before)] if start >= 0 else []
    return upstream


def _any(size: int) -> Upstream:
    """Each awaits up to two of any before it, so that there are several parts."""
    dice = random.Random(size)
    return {
        f"t{place}": [
            f"t{each}"
            for each in sorted({dice.randrange(place) for _ in range(dice.choice((0, 1, 1, 2)))})
        ]
        if place
        else []
        for place in range(size)
    }


def _all_upon_all(first: int, second: int) -> Upstream:
    upstream: Upstream = {f"a{place}": [] for place in range(first)}
    return upstream | {
        f"b{place}": [f"a{each}" for each in range(first)] for place in range(second)
    }


def _long(size: int, more: int) -> Upstream:
    """A chain, whose tasks await `more` of any before them as well."""
    dice = random.Random(size)
    return {
        f"t{place}": [
            f"t{each}"
            for each in sorted({place - 1, *(dice.randrange(place) for _ in range(more))})
        ]
        if place
        else []
        for place in range(size)
    }


if __name__ == "__main__":
    main()
