"""Graphs are drawn without boxes over each other or edges through boxes, always in the same way."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dags_app.domain.layout import Box, Layout, lay_out
from dags_app.domain.layout.drawing import HEIGHT, WIDTH

Upstream = dict[str, list[str]]


@st.composite
def graphs(draw: st.DrawFn) -> Upstream:
    """Any graph of up to 25 tasks; each waits for some before it."""
    count = draw(st.integers(0, 25))
    return {
        f"t{place}": [
            f"t{before}"
            for before in draw(st.sets(st.integers(0, max(place - 1, 0)), max_size=min(place, 4)))
            if before < place
        ]
        for place in range(count)
    }


@settings(deadline=None)
@given(graphs())
def test_no_box_lies_over_another(upstream: Upstream) -> None:
    for one, other in itertools.combinations(lay_out(upstream).boxes, 2):
        assert abs(one.x - other.x) >= WIDTH or abs(one.y - other.y) >= HEIGHT


@settings(deadline=None)
@given(graphs())
def test_edges_lead_from_right_borders_to_left_ones(upstream: Upstream) -> None:
    layout = lay_out(upstream)
    boxes = {box.task_id: box for box in layout.boxes}
    for route in layout.routes:
        here, there = boxes[route.upstream], boxes[route.downstream]
        (x, y), (to_x, to_y) = route.points[0], route.points[-1]
        assert (x, to_x) == (here.x + WIDTH, there.x)
        assert y == pytest.approx(here.y + HEIGHT / 2, abs=0.11)
        assert to_y == pytest.approx(there.y + HEIGHT / 2, abs=0.11)
        assert there.x > here.x
    wanted = {(before, name) for name, names in upstream.items() for before in names}
    assert {(route.upstream, route.downstream) for route in layout.routes} == wanted


@settings(deadline=None)
@given(graphs())
def test_no_edge_runs_through_a_box(upstream: Upstream) -> None:
    layout = lay_out(upstream)
    for route in layout.routes:
        for (x, y), (to_x, to_y) in itertools.pairwise(route.points):
            if y == to_y:
                assert not [box for box in layout.boxes if _crosses(box, x, to_x, y)]


def _crosses(box: Box, left: float, right: float, y: float) -> bool:
    return box.x < right and box.x + WIDTH > left and box.y < y < box.y + HEIGHT


@settings(deadline=None)
@given(graphs())
def test_all_of_it_is_inside(upstream: Upstream) -> None:
    layout = lay_out(upstream)
    for box in layout.boxes:
        assert 0 <= box.x <= layout.width - WIDTH
        assert -0.11 <= box.y <= layout.height - HEIGHT + 0.11


@settings(deadline=None)
@given(graphs())
def test_it_always_comes_out_the_same_and_can_be_kept(upstream: Upstream) -> None:
    layout = lay_out(upstream)
    assert lay_out(upstream) == layout
    assert Layout.from_json(layout.to_json()) == layout


def test_a_chain_is_straight() -> None:
    layout = lay_out({"a": [], "b": ["a"], "c": ["b"]})
    assert len({box.y for box in layout.boxes}) == 1


def test_what_is_not_there_is_passed_over() -> None:
    layout = lay_out({"a": ["nobody"], "b": ["a", "a"]})
    assert [(route.upstream, route.downstream) for route in layout.routes] == [("a", "b")]


def test_an_empty_graph_is_nothing() -> None:
    assert lay_out({}) == Layout(0.0, 0.0, (), ())


def test_ten_thousand_tasks_come_out() -> None:
    upstream = {f"t{i}": [f"t{i // 3}"] if i else [] for i in range(10_000)}
    layout = lay_out({name: [b for b in before if b != name] for name, before in upstream.items()})
    assert len(layout.boxes) == 10_000


def test_what_would_be_all_lanes_goes_around_above_everything() -> None:
    upstream = {f"t{i}": [f"t{before}" for before in range(i)] for i in range(100)}
    layout = lay_out(upstream)
    around = [route for route in layout.routes if route.points[1][1] == 0]
    assert around
    assert all(len(route.points) == 4 for route in around)
    assert min(box.y for box in layout.boxes) > 0
    within = [route for route in layout.routes if route not in around]
    assert sum(len(route.points) - 2 for route in within) <= 2 * 1_000
    columns = {box.x for box in layout.boxes}
    for route in around:
        (right, _), (up, _), (down, _), (left, _) = route.points
        assert up in columns
        assert down - WIDTH in columns
        assert right < up < down < left


def test_few_long_edges_have_lanes_all_the_way() -> None:
    upstream = {f"t{i}": [f"t{i - 1}"] if i else [] for i in range(30)}
    upstream["t29"].append("t0")
    (long,) = (
        route
        for route in lay_out(upstream).routes
        if route.upstream == "t0" and len(route.points) > 2
    )
    assert len(long.points) == 2 + 2 * 28


def test_all_upon_all_come_out() -> None:
    upstream: Upstream = {f"a{i}": [] for i in range(200)}
    upstream |= {f"b{i}": [f"a{j}" for j in range(200)] for i in range(200)}
    assert len(lay_out(upstream).routes) == 40_000
