"""A frozen version's graph as the engine sees it: tasks by position, in topological order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeAlias

from dags_app.domain import topology
from dags_app.domain.tasks import TriggerRule


@dataclass(frozen=True, slots=True)
class Node:
    """One task of a version. `upstream` holds positions, all smaller than its own."""

    position: int
    task_id: str
    upstream: tuple[int, ...] = ()
    trigger_rule: TriggerRule = TriggerRule.ALL_SUCCESS
    is_branch: bool = False
    #: It needs a slot somewhere (a pool, its DAG's max_active_tasks), so it is admitted by itself.
    is_gated: bool = False
    #: When its turn comes it becomes as many as there are values.
    is_mapped: bool = False
    #: Where it decides that nothing follows, that holds for all behind it, whatever their rules.
    stops_all: bool = False
    is_setup: bool = False
    is_teardown: bool = False
    #: Of a teardown: whether the run fails with it.
    fails_run: bool = False
    #: It waits for the same task of the run before; see `depends_on_past`. And whether for those
    #: directly behind that one, too.
    awaits_past: bool = False
    awaits_downstream: bool = False


class Instance(NamedTuple):
    """One of the many that a mapped task has become."""

    position: int
    map_index: int


#: What is queued and sent: a task by its position, or an instance of a mapped one.
Step: TypeAlias = int | Instance


def step_of(position: int, map_index: int) -> Step:
    """The step that a row stands for; a task that is not an instance has the map index -1."""
    return position if map_index < 0 else Instance(position, map_index)


class Graph:
    """The tasks of a version, and who comes after whom. Immutable, and shared between threads."""

    def __init__(self, nodes: Sequence[Node], *, fails_fast: bool = False) -> None:
        self.nodes = tuple(nodes)
        #: Whether the first failure ends a run.
        self.fails_fast = fails_fast

    def __len__(self) -> int:
        return len(self.nodes)

    @cached_property
    def downstream(self) -> tuple[tuple[int, ...], ...]:
        """For each position, those directly after it."""
        after: list[list[int]] = [[] for _ in self.nodes]
        for node in self.nodes:
            for parent in node.upstream:
                after[parent].append(node.position)
        return tuple(map(tuple, after))

    @cached_property
    def leaves(self) -> tuple[int, ...]:
        """The positions that decide how a run ends: those with nothing after them.

        As in Airflow, teardown tasks do not count, on either side, but for those that fail the run
        with them; unless there are no others.
        """
        leaves = tuple(
            node.position
            for node in self.nodes
            if self._counts(node.position)
            and not any(self._counts(after) for after in self.downstream[node.position])
        )
        return leaves or tuple(
            node.position for node in self.nodes if not self.downstream[node.position]
        )

    def _counts(self, position: int) -> bool:
        return not self.nodes[position].is_teardown or self.nodes[position].fails_run

    @cached_property
    def roots(self) -> tuple[int, ...]:
        """The positions with nothing before them."""
        return tuple(node.position for node in self.nodes if not node.upstream)

    @cached_property
    def is_gated(self) -> bool:
        """Whether any task needs a slot."""
        return any(node.is_gated for node in self.nodes)

    @cached_property
    def is_mapped(self) -> bool:
        """Whether any task becomes many, so that a small graph may have many rows."""
        return any(node.is_mapped for node in self.nodes)

    @cached_property
    def may_stop(self) -> bool:
        """Whether any short circuit may let nothing follow, whatever the trigger rules say."""
        return any(node.stops_all for node in self.nodes)

    @cached_property
    def awaits_past(self) -> bool:
        """Whether any task waits for the run before."""
        return any(node.awaits_past for node in self.nodes)

    @cached_property
    def position_of(self) -> dict[str, int]:
        """Task id to position."""
        return {node.task_id: node.position for node in self.nodes}

    def descendants(self, positions: Iterable[int]) -> set[int]:
        """Everything after any of `positions`."""
        return topology.descendants(positions, self._edges)

    def ancestors(self, positions: Iterable[int]) -> set[int]:
        """Everything before any of `positions`."""
        return topology.descendants(positions, self._edges_back)

    @cached_property
    def _edges_back(self) -> dict[int, tuple[int, ...]]:
        return {node.position: node.upstream for node in self.nodes}

    @cached_property
    def _edges(self) -> dict[int, tuple[int, ...]]:
        return dict(enumerate(self.downstream))
