"""How far down each place stands: near to its neighbours, with room between."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from dags_app.domain.layout.layers import Layered

#: Sweeps over all layers, for small graphs and for large ones, by what a sweep costs.
_SWEEPS = ((8_000, 24), (40_000, 8))
_LEAST_SWEEPS = 4

#: The first sweeps go by one side only: what is ahead has no good place yet.
_ONE_SIDED = 5

#: How much it counts that an edge is straight: between two lanes, at a lane, between two tasks.
_LANES, _LANE, _TASKS = 8.0, 2.0, 1.0

#: What has no neighbour stays, unless anybody needs its place.
_LOOSE = 0.05


def placed(
    graph: Layered, rows: Sequence[Sequence[int]], *, tall: float, gap: float, lane: float
) -> list[float]:
    """The middle of each place. Tasks are `tall`, and `gap` apart; lanes `lane` from anything."""
    needs = _needs(graph, rows, tall=tall, gap=gap, lane=lane)
    y = [0.0] * len(graph.layer)
    for row, offsets in zip(rows, needs, strict=True):
        for place, offset in zip(row, offsets, strict=True):
            y[place] = offset - offsets[-1] / 2
    size = graph.size
    sweeps = next((count for limit, count in _SWEEPS if size <= limit), _LEAST_SWEEPS)
    for sweep in range(sweeps):
        is_forward = sweep % 2 == 0
        pairs = list(zip(rows, needs, strict=True))
        for row, offsets in pairs if is_forward else reversed(pairs):
            sides = _sides(graph, sweep, is_forward=is_forward)
            wants = [_want(graph, y, place, sides) for place in row]
            _settle(row, offsets, wants, y)
    return y


def _needs(
    graph: Layered, rows: Sequence[Sequence[int]], *, tall: float, gap: float, lane: float
) -> list[list[float]]:
    """For each row how far each place is below the first at least."""
    needs = []
    for row in rows:
        offsets = [0.0] if row else []
        for upper, lower in itertools.pairwise(row):
            are_tasks = upper < graph.count, lower < graph.count
            if all(are_tasks):
                step = tall + gap
            elif any(are_tasks):
                step = tall / 2 + lane
            else:
                step = lane
            offsets.append(offsets[-1] + step)
        needs.append(offsets)
    return needs


def _sides(graph: Layered, sweep: int, *, is_forward: bool) -> tuple[list[list[int]], ...]:
    if sweep >= _ONE_SIDED:
        return graph.before, graph.after
    return (graph.before,) if is_forward else (graph.after,)


def _want(
    graph: Layered, y: Sequence[float], place: int, sides: Sequence[Sequence[Sequence[int]]]
) -> tuple[float, float]:
    """Where a place would best be, and how much that counts."""
    total = weight = 0.0
    is_lane = place >= graph.count
    for side in sides:
        for other in side[place]:
            is_other = other >= graph.count
            counts = _LANES if is_lane and is_other else _LANE if is_lane or is_other else _TASKS
            total += counts * y[other]
            weight += counts
    return (total / weight, weight) if weight else (y[place], _LOOSE)


def _settle(
    row: Sequence[int],
    offsets: Sequence[float],
    wants: Sequence[tuple[float, float]],
    y: list[float],
) -> None:
    """As near to what is wanted as order and room allow: least squares, by pooling neighbours.

    Ayer et al. (1955), isotonic regression: without the room that each needs, places must not fall.
    """
    pools: list[list[float]] = []  # value, weight, count
    for (want, weight), offset in zip(wants, offsets, strict=True):
        pools.append([want - offset, weight, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            value, more, count = pools.pop()
            last = pools[-1]
            last[0] = (last[0] * last[1] + value * more) / (last[1] + more)
            last[1] += more
            last[2] += count
    index = 0
    for value, _, count in pools:
        for _ in range(int(count)):
            y[row[index]] = value + offsets[index]
            index += 1
