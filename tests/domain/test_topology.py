"""Graphs of task ids: order, cycles and ancestors, held against plain searches."""

from __future__ import annotations

import time
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dags_app.domain.topology import (
    Ancestry,
    cycles,
    descendants,
    downstream_of,
    topological_order,
)

Graph = dict[int, list[int]]


# From a seed: hypothesis prefers small numbers, and pays for every draw.
_randoms = st.integers(0, 2**32).map(Random)


def _knotted(random: Random) -> Graph:
    nodes = random.sample(range(8), random.randint(0, 8))
    density = random.choice([0.1, 0.2, 0.4])
    return {
        node: [up for up in nodes if up != node and random.random() < density] for node in nodes
    }


def _without_cycles(random: Random) -> Graph:
    nodes = random.sample(range(8), random.randint(1, 8))
    graph = {node: [up for up in range(node) if random.random() < 0.4] for node in nodes}
    return {node: [up for up in ups if up in graph] for node, ups in graph.items()}


def graphs() -> st.SearchStrategy[Graph]:
    """Any graph without loops of one node: each node with those before it."""
    return _randoms.map(_knotted)


def acyclic() -> st.SearchStrategy[Graph]:
    """Any graph without cycles, its nodes in any order."""
    return _randoms.map(_without_cycles)


def before(graph: Graph, node: int) -> set[int]:
    """Everything before `node`, by asking again and again."""
    found = set(graph[node])
    while more := {up for name in found for up in graph[name]} - found:
        found |= more
    return found


@given(acyclic())
def test_the_order_holds_every_node_after_all_that_it_waits_for(graph: Graph) -> None:
    order = topological_order(graph)
    assert sorted(order) == sorted(graph)
    place = {node: index for index, node in enumerate(order)}
    assert all(place[up] < place[node] for node, ups in graph.items() for up in ups)
    assert cycles(graph) == []


@given(graphs())
def test_what_cannot_be_ordered_is_on_a_cycle_or_behind_one(graph: Graph) -> None:
    on_cycle = {node for node in graph if node in before(graph, node)}
    stuck = {node for node in graph if node in on_cycle or before(graph, node) & on_cycle}
    ordered = topological_order(graph)
    assert set(graph) - set(ordered) == stuck


@given(graphs())
def test_every_knot_has_a_cycle_named_and_no_task_is_named_twice(graph: Graph) -> None:
    found = cycles(graph)
    for cycle in found:
        assert len(cycle) >= 2
        assert all(up in graph[node] for up, node in pairwise([*cycle, cycle[0]]))
    named = [node for cycle in found for node in cycle]
    assert len(named) == len(set(named))
    for node in graph:
        if node in before(graph, node):
            # All that wait for each other with it: at least one of them is named.
            knot = {other for other in before(graph, node) if node in before(graph, other)}
            assert knot & set(named)


@given(graphs())
def test_a_cycle_begins_with_the_task_that_was_written_first(graph: Graph) -> None:
    place = {node: index for index, node in enumerate(graph)}
    assert all(place[cycle[0]] == min(place[node] for node in cycle) for cycle in cycles(graph))


@given(graphs())
def test_ancestry_says_what_a_search_says(graph: Graph) -> None:
    ancestry = Ancestry(graph)
    order = topological_order(graph)
    for node in graph:
        assert ancestry.knows(node) is (node in order)
    for node in order:
        assert {other for other in graph if ancestry.is_before(other, node)} == before(graph, node)


@given(graphs(), st.data())
def test_descendants_are_all_that_comes_after_any_of_some(
    graph: Graph, data: st.DataObject
) -> None:
    starts = data.draw(st.lists(st.sampled_from(sorted(graph)))) if graph else []
    after = {node for node in graph if before(graph, node) & set(starts)}
    assert descendants(starts, downstream_of(graph)) == after


@pytest.mark.parametrize(
    "graph",
    [
        {i: [i - 1] if i else [] for i in range(10_000)},
        {i: [(i + 1) % 10_000] for i in range(10_000)},
        {i: [i ^ 1] for i in range(10_000)},
        {i: [j for j in range(i - 5, i) if j >= 0] for i in range(10_000)},
        {i: [j for j in range(224) if j != i] for i in range(224)},
        # A long way back, and from its end an edge to each place on it.
        {**{i: [i + 1] for i in range(9_999)}, 9_999: list(range(9_999))},
        {i: [i + 1, *range(max(0, i - 4), i)] if i < 9_999 else [0] for i in range(10_000)},
    ],
    ids=["chain", "ring", "pairs", "layers", "all", "fan", "ladder"],
)
def test_the_largest_graphs_take_no_time(graph: Graph) -> None:
    started = time.process_time()
    found = cycles(graph)
    assert bool(found) is (len(topological_order(graph)) < len(graph))
    Ancestry(graph)
    assert time.process_time() - started < 1
