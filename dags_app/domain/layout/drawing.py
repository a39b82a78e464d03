"""A layout: boxes for tasks and routes for edges, in pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dags_app.domain.layout.layers import layered
from dags_app.domain.layout.ordering import ordered
from dags_app.domain.layout.placing import placed

#: Raised whenever the same graph would be drawn in another way: what was kept is made anew.
FORMAT = 2

#: The size of a box, the room between boxes of a layer and between layers, and that of a lane.
WIDTH, HEIGHT, GAP, BETWEEN, LANE = 180.0, 44.0, 18.0, 64.0, 14.0

#: How far above everything edges go that have no lanes.
AROUND = 24.0

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A task: its name and the upper left corner."""

    task_id: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Route:
    """An edge, from the right border of a task to the left border of one that comes after it."""

    upstream: str
    downstream: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """A graph as it is drawn, in the rectangle from (0, 0) to (width, height)."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    routes: tuple[Route, ...]

    def to_json(self) -> dict[str, Any]:
        """As it is kept: names once, numbers in lists."""
        place = {box.task_id: index for index, box in enumerate(self.boxes)}
        return {
            "size": [self.width, self.height],
            "boxes": [[box.task_id, box.x, box.y] for box in self.boxes],
            "routes": [
                [place[route.upstream], place[route.downstream], *map(list, route.points)]
                for route in self.routes
            ],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Layout:
        """What `to_json` has made."""
        boxes = tuple(Box(task_id, x, y) for task_id, x, y in document["boxes"])
        routes = tuple(
            Route(
                boxes[upstream].task_id,
                boxes[downstream].task_id,
                tuple((x, y) for x, y in points),
            )
            for upstream, downstream, *points in document["routes"]
        )
        width, height = document["size"]
        return cls(width, height, boxes, routes)


def lay_out(upstream: Mapping[str, Sequence[str]]) -> Layout:
    """The layout of a graph, given as the tasks that each task waits for.

    Tasks that are not there are passed over, so that a definition can be drawn while it is being
    written; there must be no cycle. The same graph always comes out the same.
    """
    names = list(upstream)
    place = {name: index for index, name in enumerate(names)}
    edges = [
        (place[before], place[name])
        for name in names
        for before in dict.fromkeys(upstream[name])
        if before in place
    ]
    graph = layered(len(names), edges)
    rows = ordered(graph)
    middle = placed(graph, rows, tall=HEIGHT, gap=GAP, lane=LANE)
    # Edges that go around share one line above everything.
    above = AROUND if None in graph.lanes else 0.0
    top = min(middle, default=0.0) - HEIGHT / 2 - above
    left = [layer * (WIDTH + BETWEEN) for layer in graph.layer]
    y = [round(each - top, 1) for each in middle]
    boxes = tuple(Box(name, left[i], round(y[i] - HEIGHT / 2, 1)) for i, name in enumerate(names))
    routes = []
    for (here, there), lanes in zip(edges, graph.lanes, strict=True):
        if lanes is None:
            way = [(left[here] + WIDTH + BETWEEN, 0.0), (left[there] - BETWEEN, 0.0)]
        else:
            way = [(x, y[lane]) for lane in lanes for x in (left[lane], left[lane] + WIDTH)]
        points = ((left[here] + WIDTH, y[here]), *way, (left[there], y[there]))
        routes.append(Route(names[here], names[there], points))
    return Layout(
        width=max((x + WIDTH for x in left), default=0.0),
        height=round(max(y, default=0.0) + HEIGHT / 2, 1) if y else 0.0,
        boxes=boxes,
        routes=tuple(routes),
    )
