"""Where a DAG's tasks and edges are drawn: in layers from left to right.

After Sugiyama, Tagawa and Toda (1981): layers by the longest path, an order within each that
crosses few edges, places that keep edges straight. An edge over several layers gets a lane in each
that it passes, so that none runs through a task. Where that would make too many lanes, the longest
go around, above everything: the time it takes has a limit, whatever the graph.
"""

from dags_app.domain.layout.drawing import FORMAT, Box, Layout, Route, lay_out

__all__ = ["FORMAT", "Box", "Layout", "Route", "lay_out"]
