"""A DAG's graph as a picture: where each task is drawn, and what is written into it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from dags_app.domain.layout import Layout
from dags_app.domain.layout.drawing import HEIGHT, WIDTH, Point
from dags_app.models import DagVersion
from dags_app.selectors.layouts import layout_of

#: Characters that have a place in a box: of a name, and of what stands below it.
NAME, BELOW = 21, 27

#: Room around the graph, for borders.
MARGIN = 8

#: How wide a page mostly is, in pixels.
_USUAL_WIDTH = 1000


@dataclass(frozen=True, slots=True)
class Painted:
    """What is shown of a task beside its name: its state, whose it is, where it leads."""

    state: str = ""
    key: UUID | None = None
    href: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """A box, with its text."""

    x: float
    y: float
    name: str
    shown: str
    below: str
    painted: Painted


@dataclass(frozen=True, slots=True)
class Graph:
    """All that the template needs. Without nodes it is too large, or empty: see `count`."""

    width: float
    height: float
    box_width: float
    box_height: float
    nodes: list[Node]
    paths: list[tuple[str, str, str]]
    count: int

    @property
    def view_width(self) -> float:
        return self.width + 2 * MARGIN

    @property
    def shown_height(self) -> float:
        """In pixels, of the frame that it is looked at through; the stylesheet has a limit.

        A wide graph is made smaller to fit, so that it needs less height.
        """
        scale = min(1.25, _USUAL_WIDTH / max(self.width, 1))
        return round(max(self.height * scale + 10 * MARGIN, 180))

    @property
    def view_height(self) -> float:
        return self.height + 2 * MARGIN


def graph_of_version(version: DagVersion, painted: Mapping[str, Painted] | None = None) -> Graph:
    """The graph of a version; what is `painted` by task id."""
    drawn = layout_of(version.pk)
    if drawn.layout is None:
        return Graph(0, 0, WIDTH, HEIGHT, [], [], drawn.count)
    return graph(drawn.layout, drawn.types, painted or {})


def graph(layout: Layout, types: Mapping[str, str], painted: Mapping[str, Painted]) -> Graph:
    """The graph of a layout; the types of tasks stand below their names."""
    plain = Painted()
    nodes = []
    for box in layout.boxes:
        of_box = painted.get(box.task_id, plain)
        below = " · ".join(word for word in (types.get(box.task_id, ""), of_box.note) if word)
        nodes.append(
            Node(
                x=box.x,
                y=box.y,
                name=box.task_id,
                shown=shortened(box.task_id, NAME),
                below=shortened(below, BELOW),
                painted=of_box,
            )
        )
    return Graph(
        width=layout.width,
        height=layout.height,
        box_width=WIDTH,
        box_height=HEIGHT,
        nodes=nodes,
        paths=[(r.upstream, r.downstream, curve(r.points)) for r in layout.routes],
        count=len(nodes),
    )


def shortened(text: str, most: int) -> str:
    """`text` with an ellipsis in its middle: names often differ in their ends."""
    if len(text) <= most:
        return text
    head = (most - 1) * 3 // 5
    return f"{text[:head]}…{text[len(text) - (most - 1 - head) :]}"


def curve(points: Sequence[Point]) -> str:
    """The path through `points`, which leaves each of them to the right."""
    words = [f"M{points[0][0]:g} {points[0][1]:g}"]
    for (x, y), (to_x, to_y) in itertools.pairwise(points):
        if y == to_y:
            words.append(f"H{to_x:g}")
        else:
            middle = (x + to_x) / 2
            words.append(f"C{middle:g} {y:g} {middle:g} {to_y:g} {to_x:g} {to_y:g}")
    return "".join(words)
