"""`>>` and its like, against sets of edges: what was meant is what comes before what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise, product
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dags_app.authoring.errors import BadArgument, CyclicDag, NotATask, OtherDag
from skytrail.sdk import DAG, Empty, TaskGroup, chain, chain_linear, cross_downstream

Edges: TypeAlias = set[tuple[str, str]]

NAMES = "abcdef"


def edges(dag: DAG) -> Edges:
    return {
        (before, task["id"])
        for task in dag.document()["tasks"]
        for before in task.get("depends_on", [])
    }


def tasks(names: str = NAMES) -> tuple[DAG, dict[str, Empty]]:
    with DAG("d") as dag:
        return dag, {name: Empty(name) for name in names}


#: Some of the tasks before some of those after them: so there is never a cycle.
_layers = st.integers(1, len(NAMES) - 1).flatmap(
    lambda cut: st.tuples(
        st.sets(st.sampled_from(NAMES[:cut]), min_size=1),
        st.sets(st.sampled_from(NAMES[cut:]), min_size=1),
    )
)


def one_or_list(names: set[str], made: dict[str, Empty], *, alone: bool) -> Any:
    found = [made[name] for name in sorted(names)]
    return found[0] if alone and len(found) == 1 else found


def each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


#: What can be written for "`second` comes after `first`", each of them one task or a list.
WAYS: dict[str, Callable[[Any, Any], Any]] = {
    "a >> list": lambda first, second: [a >> second for a in each(first)],
    "list >> b": lambda first, second: [first >> b for b in each(second)],
    "list << a": lambda first, second: [second << a for a in each(first)],
    "b << list": lambda first, second: [b << first for b in each(second)],
    "upstream": lambda first, second: [b.set_upstream(first) for b in each(second)],
    "downstream": lambda first, second: [a.set_downstream(second) for a in each(first)],
    "chain_linear": chain_linear,
    "cross_downstream": cross_downstream,
}


@pytest.mark.parametrize("way", WAYS)
@given(layers=_layers, alone=st.booleans())
def test_each_way_of_saying_it_says_the_same(
    layers: tuple[set[str], set[str]], way: str, *, alone: bool
) -> None:
    dag, made = tasks()
    first, second = (one_or_list(names, made, alone=alone) for names in layers)
    WAYS[way](first, second)
    assert edges(dag) == set(product(*layers))


@given(st.lists(st.sets(st.sampled_from("xyz"), min_size=1), min_size=2, max_size=5))
def test_a_chain_leads_from_link_to_link(links: list[set[str]]) -> None:
    """Each link has tasks of its own, one of them alone or several in a list."""
    names = [[f"{index}{name}" for name in sorted(link)] for index, link in enumerate(links)]
    expected: Edges = set()
    for before, after in pairwise(names):
        if len(before) > 1 and len(after) > 1:
            if len(before) != len(after):
                return
            expected |= set(zip(before, after, strict=True))
        else:
            expected |= set(product(before, after))
    with DAG("d") as dag:
        made = [[Empty(name) for name in link] for link in names]
        chain(*(link[0] if len(link) == 1 else link for link in made))
    assert edges(dag) == expected


@given(st.lists(_layers, max_size=4))
def test_what_is_said_twice_counts_once(layers: list[tuple[set[str], set[str]]]) -> None:
    dag, made = tasks()
    for first, second in layers * 2:
        cross_downstream([made[name] for name in first], [made[name] for name in second])
    assert edges(dag) == {edge for pair in layers for edge in product(*pair)}


# ---------------------------------------------------------------- groups


@dataclass
class Box:
    """A group as a plain tree, to say by other means what its arrows come to."""

    name: str
    children: list[Box | str] = field(default_factory=list)

    def leaves(self) -> list[str]:
        return [
            leaf
            for child in self.children
            for leaf in (child.leaves() if isinstance(child, Box) else [child])
        ]


_trees = st.recursive(
    st.just(""),
    lambda inner: st.lists(inner, min_size=1, max_size=3),
    max_leaves=8,
).filter(lambda tree: isinstance(tree, list))


def as_box(tree: Any, name: str) -> Box:
    """The tree with ids: its place is its name."""
    return Box(
        name,
        [
            f"{name}.{index}" if child == "" else as_box(child, f"{name}.{index}")
            for index, child in enumerate(tree)
        ],
    )


def write(box: Box, ends: dict[str, Any], parent: TaskGroup | None, dag: DAG) -> None:
    """Makes the groups and the tasks."""
    name = box.name.rpartition(".")[2]
    group = TaskGroup(f"g{name}", parent_group=parent, dag=dag)
    ends[box.name] = group
    for child in box.children:
        if isinstance(child, Box):
            write(child, ends, group, dag)
        else:
            ends[child] = Empty(f"t{child.rpartition('.')[2]}", task_group=group)


def meant(box: Box, arrows: list[tuple[str, str]]) -> Edges:
    """The edges between tasks that arrows between siblings come to: from inside to outside."""
    found: Edges = set()
    for child in box.children:
        if isinstance(child, Box):
            found |= meant(child, arrows)
    by_name = {child if isinstance(child, str) else child.name: child for child in box.children}

    def ends_of(name: str, side: int) -> list[str]:
        child = by_name[name]
        if isinstance(child, str):
            return [child]
        inside = set(child.leaves())
        # Those that have something after (or before) them within the group do not count.
        busy = {edge[side] for edge in found if set(edge) <= inside}
        return [leaf for leaf in child.leaves() if leaf not in busy]

    here = [arrow for arrow in arrows if arrow[0] in by_name and arrow[1] in by_name]
    return found | {
        edge for before, after in here for edge in product(ends_of(before, 0), ends_of(after, 1))
    }


def siblings(box: Box) -> list[tuple[str, str]]:
    """Each pair of neighbours, the earlier first: so there is never a cycle."""
    names = [child if isinstance(child, str) else child.name for child in box.children]
    pairs = [(one, other) for i, one in enumerate(names) for other in names[i + 1 :]]
    inner = [pair for child in box.children if isinstance(child, Box) for pair in siblings(child)]
    return pairs + inner


@given(_trees, st.data())
def test_a_group_stands_for_its_first_and_its_last_tasks_whatever_the_order_of_lines(
    tree: Any, data: st.DataObject
) -> None:
    box = as_box(tree, "0")
    pairs = siblings(box)
    arrows = data.draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    dag = DAG("d")
    ends: dict[str, Any] = {}
    write(box, ends, None, dag)
    for before, after in data.draw(st.permutations(arrows)):
        ends[before] >> ends[after]
    id_of = {name: end.task_id for name, end in ends.items() if isinstance(end, Empty)}
    assert edges(dag) == {(id_of[a], id_of[b]) for a, b in meant(box, arrows)}


def test_a_group_in_a_group() -> None:
    with DAG("d") as dag:
        start = Empty("start")
        with TaskGroup("a") as outer:
            with TaskGroup("b") as inner:
                Empty("x") >> Empty("y")
            inner >> Empty("z")
        start >> outer >> Empty("end")
    assert edges(dag) == {
        ("start", "a.b.x"),
        ("a.b.x", "a.b.y"),
        ("a.b.y", "a.z"),
        ("a.z", "end"),
    }
    assert {task["id"]: task.get("group") for task in dag.document()["tasks"]} == {
        "start": None,
        "a.b.x": "a.b",
        "a.b.y": "a.b",
        "a.z": "a",
        "end": None,
    }


# ---------------------------------------------------------------- what is wrong


def test_a_cycle_is_shown() -> None:
    dag, made = tasks("abc")
    chain(made["a"], made["b"], made["c"], made["a"])
    with pytest.raises(CyclicDag, match=r"a → b → c → a\. Remove one"):
        dag.document()


def test_tasks_of_two_dags_do_not_go_together() -> None:
    _, made = tasks("a")
    with DAG("other"), pytest.raises(OtherDag, match="ExternalSensor"):
        made["a"] >> Empty("b")


@pytest.mark.parametrize("other", [1, "a", None, {"a": 1}, [3]])
def test_only_tasks_can_be_before_and_after(other: Any) -> None:
    _, made = tasks("a")
    with pytest.raises(NotATask, match="dependencies are between tasks"):
        made["a"] >> other


def test_lists_of_a_chain_are_equally_long() -> None:
    _, made = tasks("abcde")
    a, b, c, d, e = made.values()
    with pytest.raises(BadArgument, match="not 2 and 3: use cross_downstream"):
        chain([a, b], [c, d, e])


def test_a_group_without_tasks_breaks_a_chain_and_says_so() -> None:
    with DAG("d") as dag:
        Empty("a") >> TaskGroup("g")
    with pytest.raises(Exception, match="the task group 'g' has no tasks"):
        dag.document()


def test_a_group_is_not_before_what_is_in_it() -> None:
    with DAG("d") as dag:
        with TaskGroup("g") as group:
            inside = Empty("a")
        group >> inside
    with pytest.raises(BadArgument, match="is inside it"):
        dag.document()
