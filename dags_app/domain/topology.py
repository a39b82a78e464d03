"""Directed graphs of task ids: order, cycles, ancestors. Iterative, so that depth costs nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

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


def find_cycle(upstream: Mapping[Node, Sequence[Node]]) -> list[Node]:
    """One cycle in the direction of flow, its first node repeated at the end; empty if none."""
    ordered: list[Node] = topological_order(upstream)
    behind = set(upstream) - set(ordered)
    if not behind:
        return []
    # Each node that could not be ordered waits for another such node: walking back must repeat one.
    node = next(name for name in upstream if name in behind)
    seen: dict[Node, int] = {}
    path: list[Node] = []
    while node not in seen:
        seen[node] = len(path)
        path.append(node)
        node = next(parent for parent in upstream[node] if parent in behind)
    cycle = path[seen[node] :][::-1]
    return [*cycle, cycle[0]]


def ancestors(node: Node, upstream: Mapping[Node, Iterable[Node]]) -> set[Node]:
    """Everything that comes before `node`, directly or not."""
    return _reach(node, upstream)


def descendants(node: Node, downstream: Mapping[Node, Iterable[Node]]) -> set[Node]:
    """Everything that comes after `node`, directly or not."""
    return _reach(node, downstream)


def _reach(start: Node, edges: Mapping[Node, Iterable[Node]]) -> set[Node]:
    found: set[Node] = set()
    open_ends = [start]
    while open_ends:
        for node in edges.get(open_ends.pop(), ()):
            if node not in found:
                found.add(node)
                open_ends.append(node)
    return found
