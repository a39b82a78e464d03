"""Cutting the ready frontier of a run into blocks that Celery can carry by itself.

A block is the happy path and nothing else: it only spares dispatches between steps that would
follow each other anyway. Which steps really run is decided row by row when each is claimed, and
the dispatch at a block's end decides what comes of those that did not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from dags_app.domain.tasks import TriggerRule
from runs_app.domain.graph import Graph, Instance, Step
from runs_app.domain.trigger_rules import EAGER

#: Each message carries the rest of its stretch, so a stretch costs the square of its length.
MAX_STRETCH = 50

#: More targets than these are not written into messages: the dispatch then plans the whole graph.
MAX_TARGETS = 250


@dataclass(frozen=True, slots=True)
class Fork:
    """Stretches that run side by side and meet in the step after the fork."""

    branches: tuple[Stretch, ...]


#: Steps one after the other, and forks between them.
Stretch: TypeAlias = tuple[Step | Fork, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Stretches that start together and end in one `dispatch(run, towards)`.

    One stretch becomes a chain, several a chord. `towards` are the positions that the dispatch is
    to look at: all that comes directly after the block; empty where nothing does (the run may be
    finished); None for the whole graph.
    """

    stretches: tuple[Stretch, ...]
    towards: tuple[int, ...] | None

    def steps(self) -> Iterator[Step]:
        """Every step in it."""
        for stretch in self.stretches:
            yield from steps_of(stretch)


def steps_of(stretch: Stretch) -> Iterator[Step]:
    """Every step in a stretch."""
    for step in stretch:
        if isinstance(step, Fork):
            for branch in step.branches:
                yield from steps_of(branch)
        else:
            yield step


def cut(graph: Graph, ready: Iterable[int], *, waits: Callable[[int], bool]) -> list[Block]:
    """The blocks that start with `ready`.

    `waits(position)` tells whether a later step is still to be done: after a partial rerun some
    steps behind a ready one may have ended already, and a stretch stops before those.
    """
    cutter = _Cutter(graph, waits)
    together: dict[tuple[int, ...], list[Stretch]] = {}
    blocks: list[Block] = []
    for position in ready:
        stretch = cutter.stretch(position, MAX_STRETCH)
        after = graph.downstream[_tail(stretch)]
        if graph.nodes[position].is_mapped:
            # What follows its expansion are its instances.
            blocks.append(Block((stretch,), None))
        elif cutter.stands_alone(position) or cutter.is_awaited_eagerly(_tail(stretch)):
            blocks.append(Block((stretch,), _targets(after)))
        else:
            together.setdefault(after, []).append(stretch)
    blocks += [Block(tuple(group), _targets(after)) for after, group in together.items()]
    return blocks


def cut_instances(graph: Graph, ready: Iterable[Instance]) -> list[Block]:
    """The blocks of instances of mapped tasks: those of one task are awaited together, if nothing
    that follows would start at the first one's success.
    """
    cutter = _Cutter(graph, lambda _: False)
    together: dict[int, list[Stretch]] = {}
    for instance in ready:
        together.setdefault(instance.position, []).append((instance,))
    blocks = []
    for position, stretches in together.items():
        targets = _targets(graph.downstream[position])
        if cutter.stands_alone(position) or cutter.is_awaited_eagerly(position):
            blocks += [Block((stretch,), targets) for stretch in stretches]
        else:
            blocks.append(Block(tuple(stretches), targets))
    return blocks


def reach(graph: Graph, start: int) -> set[int]:
    """The positions that a block starting at `start` may hold, for loading their rows at once."""
    steps = steps_of(_Cutter(graph, lambda _: True).stretch(start, MAX_STRETCH))
    return {step for step in steps if isinstance(step, int)}


def _tail(stretch: Stretch) -> int:
    last = stretch[-1]
    assert isinstance(last, int), "a fork is always followed by its join"
    return last


def _targets(positions: tuple[int, ...]) -> tuple[int, ...] | None:
    return positions if len(positions) <= MAX_TARGETS else None


class _Cutter:
    """Follows the graph as long as it stays series-parallel and made of ordinary tasks."""

    def __init__(self, graph: Graph, waits: Callable[[int], bool]) -> None:
        self.graph = graph
        self.waits = waits

    def stands_alone(self, position: int) -> bool:
        """Whether a task is admitted by itself, and so can share no block."""
        # Of a run that another one may wait for, each end is to be heard of.
        return self.graph.nodes[position].is_gated or self.graph.awaits_past

    def is_awaited_eagerly(self, position: int) -> bool:
        """Whether something after it may start at its success alone, and so must hear of it."""
        nodes = self.graph.nodes
        return any(nodes[p].trigger_rule in EAGER for p in self.graph.downstream[position])

    def stretch(self, start: int, room: int) -> Stretch:
        """The longest stretch from `start` of at most `room` steps."""
        steps: list[Step | Fork] = [start]
        room -= 1
        tail = start
        while room > 0 and self._goes_on_after(tail):
            after = self.graph.downstream[tail]
            if len(after) == 1 and self._may_follow(after[0], (tail,)):
                tail = after[0]
                steps.append(tail)
                room -= 1
            elif fork_and_join := self._fork(tail, room):
                fork, tail, used = fork_and_join
                steps += [fork, tail]
                room -= used
            else:
                break
        return tuple(steps)

    def _fork(self, tail: int, room: int) -> tuple[Fork, int, int] | None:
        """The fork after `tail`, its join, and how many steps both take; None if there is none."""
        starts = self.graph.downstream[tail]
        if not 2 <= len(starts) < room:
            return None
        if not all(self._may_follow(start, (tail,)) for start in starts):
            return None
        branches = []
        for start in starts:
            room -= 1
            branch = self.stretch(start, room)
            branches.append(branch)
            room -= sum(1 for _ in steps_of(branch)) - 1
            if room <= 0:
                return None
        tails = tuple(sorted(_tail(branch) for branch in branches))
        if not all(self._goes_on_after(last) for last in tails):
            return None  # what follows a branch task is for its decision to say, even a join
        meeting = {self.graph.downstream[last] for last in tails}
        if len(meeting) != 1 or len(join := meeting.pop()) != 1:
            return None
        if not self._may_follow(join[0], tails):
            return None
        used = sum(1 for branch in branches for _ in steps_of(branch)) + 1
        return Fork(tuple(branches)), join[0], used

    def _goes_on_after(self, position: int) -> bool:
        node = self.graph.nodes[position]
        # A short circuit lets teardowns go on, but not what follows them.
        return not (
            node.is_branch or node.is_mapped or node.is_teardown or self.stands_alone(position)
        )

    def _may_follow(self, position: int, after: tuple[int, ...]) -> bool:
        """Whether `position` is an ordinary task that awaits exactly `after`."""
        node = self.graph.nodes[position]
        return (
            node.trigger_rule is TriggerRule.ALL_SUCCESS
            and not node.is_mapped
            and not self.stands_alone(position)
            and tuple(sorted(node.upstream)) == after
            and self.waits(position)
        )
