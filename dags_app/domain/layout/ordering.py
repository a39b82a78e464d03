"""The order of the places in each layer: such that few edges cross."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence

from dags_app.domain.layout.layers import Layered

#: Sweeps over all layers, for small graphs and for large ones, by what a sweep costs.
_SWEEPS = ((4_000, 12), (20_000, 4))
_LEAST_SWEEPS = 2

#: In layers that are wider, neighbours are not tried out in pairs.
_TRIED_OUT = 200


def ordered(graph: Layered) -> list[list[int]]:
    """The places of each layer from top to bottom: the best of several sweeps."""
    rows = _by_depth(graph)
    place = [0] * len(graph.layer)
    _number(rows, place)
    best, fewest = [list(row) for row in rows], _crossings(graph, rows, place)
    for sweep in range(_sweeps(graph.size)):
        if not fewest:
            break
        _sweep(graph, rows, place, is_forward=sweep % 2 == 0)
        crossings = _crossings(graph, rows, place)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    return best


def _sweeps(size: int) -> int:
    return next((count for limit, count in _SWEEPS if size <= limit), _LEAST_SWEEPS)


def _by_depth(graph: Layered) -> list[list[int]]:
    """What belongs together stands together: as a walk along the edges finds it."""
    rows: list[list[int]] = [[] for _ in graph.rows]
    seen: set[int] = set()
    starts = [place for place in range(len(graph.layer)) if not graph.before[place]]
    for start in starts:
        stack = [start]
        while stack:
            place = stack.pop()
            if place in seen:
                continue
            seen.add(place)
            rows[graph.layer[place]].append(place)
            stack.extend(reversed(graph.after[place]))
    return rows


def _sweep(graph: Layered, rows: list[list[int]], place: list[int], *, is_forward: bool) -> None:
    """Puts each place in the middle of its neighbours behind, then swaps where that is better."""
    beside = graph.before if is_forward else graph.after
    for row in rows[1:] if is_forward else reversed(rows[:-1]):
        row.sort(key=lambda each: _middle(beside[each], place, each))
        for index, each in enumerate(row):
            place[each] = index
    for row in rows:
        if 1 < len(row) <= _TRIED_OUT:
            _swap(graph, row, place)


def _middle(neighbours: Sequence[int], place: Sequence[int], own: int) -> float:
    if not neighbours:
        return place[own]
    return sum(place[each] for each in neighbours) / len(neighbours)


def _swap(graph: Layered, row: list[int], place: list[int]) -> None:
    sides = [
        {each: sorted(place[other] for other in beside[each]) for each in row}
        for beside in (graph.before, graph.after)
    ]
    for index in range(len(row) - 1):
        upper, lower = row[index], row[index + 1]
        as_is = swapped = 0
        for ends in sides:
            above = ends[upper]
            for end in ends[lower]:
                as_is += len(above) - bisect_right(above, end)
                swapped += bisect_left(above, end)
        if swapped < as_is:
            row[index], row[index + 1] = lower, upper
            place[upper], place[lower] = place[lower], place[upper]


def _crossings(graph: Layered, rows: Sequence[Sequence[int]], place: Sequence[int]) -> int:
    """How many pairs of edges cross, over all layers: pairs that are in the wrong order."""
    total = 0
    for row in rows[:-1]:
        seen: list[int] = []
        for each in row:
            ends = sorted(place[other] for other in graph.after[each])
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def _number(rows: Sequence[Sequence[int]], place: list[int]) -> None:
    for row in rows:
        for index, each in enumerate(row):
            place[each] = index
