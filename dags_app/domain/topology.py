"""Directed graphs of task ids: order, cycles, ancestors. Iterative, so that depth costs nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

Node = TypeVar("Node", bound=Hashable)


def downstream_of(upstream: Mapping[Node, Iterable[Node]]) -> dict[Node, list[Node]]:
    """The same edges seen from the other end."""
    downstream: dict[Node, list[Node]] = {node: [] for node in upstream}
    for node, parents in upstream.items():
        for parent in parents:
            downstream[parent].append(node)
    return downstream


def topological_order(upstream: Mapping[Node, Sequence[Node]]) -> list[Node]:
    """Every node after all that it depends on (Kahn); nodes on or behind a cycle are left out.

    `upstream` maps each node to the nodes directly before it, all of them keys themselves. Among
    nodes that are ready together the mapping's own order decides, so the result is stable.
    """
    missing = {node: len(parents) for node, parents in upstream.items()}
    downstream = downstream_of(upstream)
    ready = deque(node for node, count in missing.items() if not count)
    order: list[Node] = []
    while ready:
        node = ready.popleft()
        order.append(node)
        for child in downstream[node]:
            missing[child] -= 1
            if not missing[child]:
                ready.append(child)
    return order


def cycles(upstream: Mapping[Node, Iterable[Node]]) -> list[list[Node]]:
    """Cycles that share no node, each in the direction of flow: at least one if there are any.

    One walk in depth (linear in nodes and edges): wherever it meets a node that it has come by, it
    has closed a cycle. Each begins with the node that the mapping names first.
    """
    place = {node: index for index, node in enumerate(upstream)}
    walk = _Walk(upstream)
    found = []
    for start in upstream:
        for cycle in walk.cycles_from(start):
            first = min(range(len(cycle)), key=lambda index: place[cycle[index]])
            found.append(cycle[first:] + cycle[:first])
    return found


class _Walk(Generic[Node]):
    """A walk against the direction of flow that enters each node once."""

    def __init__(self, upstream: Mapping[Node, Iterable[Node]]) -> None:
        self.upstream = upstream
        self.entered: set[Node] = set()
        #: The way from the start to here, and where on it each of its nodes stands.
        self.way: list[Node] = []
        self.place_on_way: dict[Node, int] = {}
        #: For each place on the way, the last one up to it that belongs to a cycle found before.
        self.taken: list[int] = []

    def cycles_from(self, start: Node) -> Iterator[list[Node]]:
        if start in self.entered:
            return
        open_ends = [self._enter(start)]
        while open_ends:
            for node in open_ends[-1]:
                if node in self.place_on_way:
                    if cycle := self._close(self.place_on_way[node]):
                        yield cycle
                elif node not in self.entered:
                    open_ends.append(self._enter(node))
                    break
            else:
                open_ends.pop()
                del self.place_on_way[self.way.pop()]
                self.taken.pop()

    def _enter(self, node: Node) -> Iterator[Node]:
        self.entered.add(node)
        self.place_on_way[node] = len(self.way)
        self.way.append(node)
        self.taken.append(self.taken[-1] if self.taken else -1)
        return iter(self.upstream[node])

    def _close(self, first: int) -> list[Node]:
        """The cycle from the place `first` to here; empty if another one has a part in it."""
        if self.taken[-1] >= first:
            return []
        for index in range(first, len(self.way)):
            self.taken[index] = index
        return self.way[first:][::-1]


class Ancestry(Generic[Node]):
    """Which nodes come before which: asked many times about one graph.

    All at once, as bits of one number for each node, because walking back from each of ten thousand
    nodes takes minutes. Nodes on or behind a cycle are unknown to it.
    """

    def __init__(self, upstream: Mapping[Node, Sequence[Node]]) -> None:
        self.bit: dict[Node, int] = {}
        self.before: dict[Node, int] = {}
        for index, node in enumerate(topological_order(upstream)):
            self.bit[node] = 1 << index
            found = 0
            for parent in upstream[node]:
                found |= self.before[parent] | self.bit[parent]
            self.before[node] = found

    def knows(self, node: Node) -> bool:
        """Whether it can say anything about `node`."""
        return node in self.bit

    def is_before(self, ancestor: Node, node: Node) -> bool:
        """Whether `node` waits for `ancestor`, directly or not."""
        return bool(self.before.get(node, 0) & self.bit.get(ancestor, 0))


def descendants(nodes: Iterable[Node], downstream: Mapping[Node, Iterable[Node]]) -> set[Node]:
    """Everything that comes after any of `nodes`, directly or not."""
    found: set[Node] = set()
    open_ends = list(nodes)
    while open_ends:
        for node in downstream.get(open_ends.pop(), ()):
            if node not in found:
                found.add(node)
                open_ends.append(node)
    return found
