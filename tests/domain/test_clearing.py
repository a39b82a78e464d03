"""Which tasks run again, held to a plain search through the paths of the graph."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runs_app.domain import clearing
from runs_app.domain.clearing import FAILED, Named, Row, Selection
from runs_app.domain.graph import Graph, Node
from runs_app.domain.states import TaskState
from tests.domain.runs import graph_of

Step = tuple[int, int]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any graph, some of its tasks mapped, or setting up and tearing down."""
    nodes = []
    for position in range(draw(st.integers(1, 8))):
        kind = draw(st.sampled_from(["", "", "", "mapped", "setup", "teardown"]))
        upstream = draw(st.lists(st.integers(0, position - 1), unique=True)) if position else []
        nodes.append(
            Node(
                position=position,
                task_id=f"t{position}",
                upstream=tuple(sorted(upstream)),
                is_mapped=kind == "mapped",
                is_setup=kind == "setup",
                is_teardown=kind == "teardown",
            )
        )
    return Graph(nodes)


@st.composite
def stories(draw: st.DrawFn) -> tuple[Graph, list[Row], Selection]:
    """A graph, how its tasks stand, and what is asked for."""
    graph = draw(graphs())
    states = st.sampled_from(sorted(TaskState))
    rows, names = [], []
    for node in graph.nodes:
        rows.append(Row(node.position, -1, draw(states)))
        names.append(node.task_id)
        for index in range(draw(st.integers(0, 3)) if node.is_mapped else 0):
            rows.append(Row(node.position, index, draw(states)))
            names.append(f"{node.task_id}[{index}]")
    selection = Selection(
        task_ids=draw(st.none() | st.lists(st.sampled_from(names), unique=True)),
        upstream=draw(st.booleans()),
        downstream=draw(st.booleans()),
        only_failed=draw(st.booleans()),
    )
    return graph, draw(st.permutations(rows)), selection


class Oracle:
    """The same choice in other words: each row is asked whether it is meant."""

    def __init__(self, graph: Graph, rows: list[Row], selection: Selection) -> None:
        self.graph, self.rows, self.selection = graph, rows, selection
        self.names = selection.task_ids

    def leads(self, start: int, end: int) -> bool:
        """Whether there is a path from `start` to `end`, of one edge or more."""
        return any(
            parent == start or self.leads(start, parent)
            for parent in self.graph.nodes[end].upstream
        )

    def is_asked_for(self, row: Row) -> bool:
        if self.selection.only_failed and row.state not in FAILED:
            return False
        if self.names is None:
            return True
        if {f"t{row.position}", f"t{row.position}[{row.map_index}]"} & set(self.names):
            return True
        about = [int(name[1:].partition("[")[0]) for name in self.names]
        return any(
            (self.selection.downstream and self.leads(one, row.position))
            or (self.selection.upstream and self.leads(row.position, one))
            for one in about
        )

    def is_around(self, position: int, inside: set[int]) -> bool:
        """Whether a setup or teardown belongs to something in `inside`."""
        pairs = [(node.upstream, node.position) for node in self.graph.nodes if node.is_teardown]
        for setup in (node.position for node in self.graph.nodes if node.is_setup):
            ends = [end for upstream, end in pairs if setup in upstream]
            if position != setup and position not in ends:
                continue
            if any(
                one == setup
                or (self.leads(setup, one) and (not ends or any(self.leads(one, e) for e in ends)))
                for one in inside
            ):
                return True
        return False

    def around(self, inside: set[int]) -> set[int]:
        return {one for one in range(len(self.graph)) if self.is_around(one, inside)}

    def chosen(self) -> set[Step]:
        asked = {row for row in self.rows if self.is_asked_for(row)}
        inside = {row.position for row in asked}
        everywhere = set(inside)
        while more := {
            p
            for p in range(len(self.graph))
            if p not in everywhere and self.is_around(p, everywhere)
        }:
            everywhere |= more
        around = {p for p in range(len(self.graph)) if self.is_around(p, everywhere)}
        expanded = {row.position for row in asked if row.map_index < 0} | around
        return {
            (row.position, row.map_index)
            for row in self.rows
            if row in asked or row.position in expanded
        }


def chosen(graph: Graph, rows: list[Row], selection: Selection) -> list[Step]:
    wanted = clearing.named(graph, selection)
    assert isinstance(wanted, Named)
    return clearing.choose(graph, selection, wanted, rows)


@given(stories())
def test_the_choice_is_that_of_a_plain_search(story: tuple[Graph, list[Row], Selection]) -> None:
    found = chosen(*story)
    assert found == sorted(Oracle(*story).chosen())


@given(stories())
def test_what_is_chosen_only_failed_is_part_of_what_is_chosen_without(
    story: tuple[Graph, list[Row], Selection],
) -> None:
    graph, rows, asked = story
    narrow, wide = (
        Selection(
            task_ids=asked.task_ids,
            upstream=asked.upstream,
            downstream=asked.downstream,
            only_failed=only_failed,
        )
        for only_failed in (True, False)
    )
    assert set(chosen(graph, rows, narrow)) <= set(chosen(graph, rows, wide))


def test_one_instance_of_a_mapped_task_and_all_that_follows() -> None:
    graph = Graph(
        [
            Node(position=0, task_id="find"),
            Node(position=1, task_id="work", upstream=(0,), is_mapped=True),
            Node(position=2, task_id="join", upstream=(1,)),
        ]
    )
    done = TaskState.SUCCESS
    rows = [Row(0, -1, done), *(Row(1, index, done) for index in range(-1, 3)), Row(2, -1, done)]
    assert chosen(graph, rows, Selection(task_ids=["work[1]"])) == [(1, 1), (2, -1)]
    assert chosen(graph, rows, Selection(task_ids=["work[1]"], upstream=True)) == [
        (0, -1),
        (1, 1),
        (2, -1),
    ]


def test_an_instance_that_is_not_there_is_named() -> None:
    graph = Graph([Node(position=0, task_id="work", is_mapped=True)])
    selection = Selection(task_ids=["work[0]", "work[1]", "work[2]"])
    wanted = clearing.named(graph, selection)
    assert isinstance(wanted, Named)
    rows = [
        Row(0, -1, TaskState.SUCCESS),
        Row(0, 0, TaskState.SUCCESS),
        Row(0, 1, TaskState.REMOVED),
    ]
    assert clearing.missing(graph, wanted, rows) == ["work[1]", "work[2]"]


def test_names_that_mean_nothing_are_all_told() -> None:
    graph = graph_of({"load": ""})
    problems = clearing.named(graph, Selection(task_ids=["lod", "load", "load[0]"]))
    assert isinstance(problems, list)
    assert [(one.path, one.code) for one in problems] == [
        ("task_ids[0]", "unknown_task"),
        ("task_ids[2]", "not_mapped"),
    ]
