"""Runs without a database: any graph, any outcomes, ended in any order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from hypothesis import strategies as st

from dags_app.domain.tasks import TriggerRule
from runs_app.domain import blocks, planner
from runs_app.domain.blocks import Block, Fork, Stretch
from runs_app.domain.graph import Graph, Node
from runs_app.domain.planner import Plan, Standing
from runs_app.domain.states import RunState, TaskState

#: The ways in which a task that was started may end.
OUTCOMES = (TaskState.SUCCESS, TaskState.FAILED, TaskState.SKIPPED, TaskState.CANCELLED)

ALL_SUCCESS = TriggerRule.ALL_SUCCESS


def graph_of(
    edges: dict[str, str],
    *,
    rules: dict[str, TriggerRule] | None = None,
    branches: str = "",
    gated: str = "",
) -> Graph:
    """The graph of `{"c": "a b"}`: c awaits a and b. Keys stand in topological order."""
    place = {name: index for index, name in enumerate(edges)}
    return Graph(
        [
            Node(
                position=place[name],
                task_id=name,
                upstream=tuple(place[up] for up in upstream.split()),
                trigger_rule=(rules or {}).get(name, ALL_SUCCESS),
                is_branch=name in branches.split(),
                is_gated=name in gated.split(),
            )
            for name, upstream in edges.items()
        ]
    )


def _upstream(random: Random, pieces: int, most: int) -> list[list[int]]:
    """The upstream positions of each task: chains, forks that meet again, new starts, and knots."""
    tasks: list[list[int]] = [[]]
    for _ in range(pieces):
        last, fork = len(tasks) - 1, len(tasks)
        match random.choices(["chain", "fork", "start", "knot"], [2, 3, 1, 1])[0]:
            case "chain":
                tasks.append([last])
            case "fork":
                tasks += [[last], [last]]
                if random.random() < 0.5:  # one of its branches is longer
                    tasks.append([fork + 1])
                tasks.append([fork, len(tasks) - 1])
            case "start":
                tasks.append([])
            case "knot":
                near = range(max(0, fork - 4), fork)
                tasks.append(sorted(up for up in near if random.random() < 0.5))
    return tasks[:most]


@st.composite
def graphs(
    draw: st.DrawFn,
    *,
    rules: tuple[TriggerRule, ...] = tuple(TriggerRule),
    branches: bool = True,
    gates: bool = False,
    most: int = 10,
) -> Graph:
    """Any graph, with a liking for forks that meet again; most rules are the ordinary one."""
    # From a seed: hypothesis prefers small numbers, and would draw hardly any fork.
    random = Random(draw(st.integers(0, 2**32)))
    upstream = _upstream(random, random.randint(0, 6), most)
    odd = random.choice([0.0, 0.3])
    return Graph(
        [
            Node(
                position=position,
                task_id=f"t{position}",
                upstream=tuple(before),
                trigger_rule=random.choice(rules) if random.random() < odd else ALL_SUCCESS,
                is_branch=branches and random.random() < 0.2,
                is_gated=gates and random.random() < 0.2,
            )
            for position, before in enumerate(upstream)
        ]
    )


def positions_in(stretch: Stretch) -> list[int]:
    """Every position in a stretch that holds no instances of mapped tasks."""
    return [step for step in blocks.steps_of(stretch) if isinstance(step, int)]


@dataclass
class Run:
    """A run whose tasks end as they are told to, one at a time, in an order drawn from `random`."""

    graph: Graph
    random: Random
    outcome_of: dict[int, TaskState] = field(default_factory=dict)
    chosen_by: dict[int, frozenset[int]] = field(default_factory=dict)
    state: dict[int, TaskState] = field(default_factory=dict)
    ended: RunState | None = None
    #: Called with each plan before it is carried out, and with each task that starts.
    on_plan: Callable[[Run, Plan], None] = lambda _run, _plan: None
    on_start: Callable[[Run, int], None] = lambda _run, _position: None

    def __post_init__(self) -> None:
        self.state = dict.fromkeys(range(len(self.graph)), TaskState.WAITING)
        for node in self.graph.nodes:
            after = self.graph.downstream[node.position]
            if node.is_branch and node.position not in self.chosen_by:
                picked = [position for position in after if self.random.random() < 0.5]
                self.chosen_by[node.position] = frozenset(picked)

    def standings(self) -> dict[int, Standing]:
        return {
            position: Standing(
                state,
                self.chosen_by.get(position) if state is TaskState.SUCCESS else None,
            )
            for position, state in self.state.items()
        }

    def dispatch(self) -> list[int]:
        """Plans the whole run and writes what follows; the positions that are now queued."""
        plan = planner.plan(self.graph, self.standings())
        self.on_plan(self, plan)
        for position in plan.skipped:
            self._settle(position, TaskState.SKIPPED)
        for position in plan.upstream_failed:
            self._settle(position, TaskState.UPSTREAM_FAILED)
        for position in plan.ready:
            self.on_start(self, position)
            self.state[position] = TaskState.QUEUED
        self.ended = plan.ends or self.ended
        return plan.ready

    def _settle(self, position: int, state: TaskState) -> None:
        assert self.state[position] is TaskState.WAITING
        self.state[position] = state

    def end(self, position: int) -> None:
        """A started task ends as it was told to."""
        self.state[position] = self.outcome_of.get(position, TaskState.SUCCESS)

    def to_the_end(self) -> Run:
        """With a dispatch after each task: the slow way that needs no canvas."""
        going = self.dispatch()
        while going:
            position = going.pop(self.random.randrange(len(going)))
            self.end(position)
            going += self.dispatch()
        return self

    def to_the_end_in_blocks(self) -> Run:
        """With canvases: their steps claimed row by row, a dispatch at the end of each."""
        work = [self._carry(block) for block in self._cut(self.dispatch())]
        while work:
            canvas = work[self.random.randrange(len(work))]
            if next(canvas, None) is None:
                work.remove(canvas)
                work += [self._carry(block) for block in self._cut(self.dispatch())]
        return self

    def _cut(self, ready: list[int]) -> list[Block]:
        return blocks.cut(self.graph, ready, waits=lambda p: self.state[p] is TaskState.WAITING)

    def _carry(self, block: Block) -> Iterator[str]:
        """A canvas being carried out, a step at a time; stretches in turn."""
        going = [self._follow(stretch) for stretch in block.stretches]
        while going:
            stretch = going[self.random.randrange(len(going))]
            if next(stretch, None) is None:
                going.remove(stretch)
            yield "a step"

    def _follow(self, stretch: Stretch) -> Iterator[str]:
        for step in stretch:
            if isinstance(step, Fork):
                going = [self._follow(branch) for branch in step.branches]
                while going:
                    branch = going[self.random.randrange(len(going))]
                    if next(branch, None) is None:
                        going.remove(branch)
                    else:
                        yield "a step"
            elif isinstance(step, int) and self._claim(step):
                yield "it runs"
                self.end(step)
                yield "it has ended"

    def _claim(self, position: int) -> bool:
        """What the database asks before a step is executed (`runs_app/actions/attempts.py`)."""
        node = self.graph.nodes[position]
        if self.state[position] is TaskState.QUEUED:
            self.state[position] = TaskState.RUNNING
            return True
        before = [self.state[up] for up in node.upstream]
        rides_along = (
            self.state[position] is TaskState.WAITING
            and node.trigger_rule is ALL_SUCCESS
            and not node.is_gated
            and all(state is TaskState.SUCCESS for state in before)
        )
        if rides_along:
            self.on_start(self, position)
            self.state[position] = TaskState.RUNNING
        return rides_along


@st.composite
def outcomes(draw: st.DrawFn, ends: tuple[TaskState, ...] = OUTCOMES) -> dict[int, TaskState]:
    """How some tasks end; all others succeed."""
    positions = st.integers(0, 12)
    return draw(st.dictionaries(positions, st.sampled_from(ends), max_size=6))
