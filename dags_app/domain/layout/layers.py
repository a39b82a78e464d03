"""Which layer each task stands in, and the lanes of edges that pass layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Edge = tuple[int, int]

#: Rounds in which tasks are drawn towards their neighbours.
_ROUNDS = 3

#: How many lanes there may be: so many for each task, but at least so many. A graph with many long
#: edges would be all lanes, and take minutes.
_LANES_PER_TASK, _LEAST_LANES = 10, 1_000


@dataclass(slots=True)
class Layered:
    """Places in layers: the first `count` are tasks, the rest lanes of edges.

    `before[i]` and `after[i]` are the neighbours of `i` in the layers before and after its own,
    `lanes[e]` those that edge `e` passes; None if it goes around all layers, and has no part in
    their order.
    """

    count: int
    layer: list[int]
    before: list[list[int]]
    after: list[list[int]]
    lanes: list[list[int] | None]

    @property
    def size(self) -> int:
        """What one sweep over all of it costs: its places, and the steps of edges between them."""
        return len(self.layer) + sum(map(len, self.after))

    @property
    def rows(self) -> list[list[int]]:
        """The places of each layer, in the order of their numbers."""
        rows: list[list[int]] = [[] for _ in range(max(self.layer, default=-1) + 1)]
        for place, layer in enumerate(self.layer):
            rows[layer].append(place)
        return rows


def layered(count: int, edges: Sequence[Edge]) -> Layered:
    """The layers of `count` tasks; `edges` go from a task to one that comes after it."""
    after: list[list[int]] = [[] for _ in range(count)]
    before: list[list[int]] = [[] for _ in range(count)]
    for here, there in edges:
        after[here].append(there)
        before[there].append(here)
    return _with_lanes(_layers(before, after), edges)


def _layers(before: Sequence[Sequence[int]], after: Sequence[Sequence[int]]) -> list[int]:
    """As far left as the longest path lets each task stand, then near to what it belongs to."""
    order = _topological(before, after)
    layer = [0] * len(order)
    for task in order:
        for later in after[task]:
            layer[later] = max(layer[later], layer[task] + 1)
    for _ in range(_ROUNDS):
        for task in reversed(order):
            if not after[task]:
                continue
            latest = min(layer[later] for later in after[task]) - 1
            # With more edges ahead than behind, moving right makes them shorter on the whole.
            if len(after[task]) > len(before[task]) or not before[task]:
                layer[task] = latest
    return layer


def _topological(before: Sequence[Sequence[int]], after: Sequence[Sequence[int]]) -> list[int]:
    missing = [len(each) for each in before]
    order = [task for task, count in enumerate(missing) if not count]
    for task in order:
        for later in after[task]:
            missing[later] -= 1
            if not missing[later]:
                order.append(later)
    return order


def _with_lanes(layer: list[int], edges: Sequence[Edge]) -> Layered:
    count = len(layer)
    layer = list(layer)
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    lanes: list[list[int] | None] = []
    within = _within(layer, edges)
    for number, (here, there) in enumerate(edges):
        if number not in within:
            lanes.append(None)
            continue
        passed = []
        last = here
        for between in range(layer[here] + 1, layer[there]):
            lane = len(layer)
            layer.append(between)
            before.append([last])
            after.append([])
            after[last].append(lane)
            passed.append(lane)
            last = lane
        after[last].append(there)
        before[there].append(last)
        lanes.append(passed)
    return Layered(count, layer, before, after, lanes)


def _within(layer: Sequence[int], edges: Sequence[Edge]) -> set[int]:
    """The edges that get lanes: the shortest first, as long as there are any left."""
    left = max(len(layer) * _LANES_PER_TASK, _LEAST_LANES)
    passes = [layer[there] - layer[here] - 1 for here, there in edges]
    within = set()
    for edge in sorted(range(len(edges)), key=lambda each: passes[each]):
        left -= passes[edge]
        if left < 0:
            break
        within.add(edge)
    return within
