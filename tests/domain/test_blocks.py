"""Cutting what is ready into chains and chords: it spares dispatches, and changes nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from dags_app.domain.tasks import TriggerRule
from runs_app.domain.blocks import (
    MAX_STRETCH,
    MAX_TARGETS,
    Block,
    Fork,
    Stretch,
    cut,
    reach,
)
from runs_app.domain.graph import Graph
from runs_app.domain.states import FINAL, TaskState
from runs_app.domain.trigger_rules import EAGER
from tests.domain.runs import ALL_SUCCESS, Run, graph_of, graphs, outcomes, positions_in
from tests.domain.test_planner import STEADY

T = TaskState

_randoms = st.integers(0, 2**32).map(Random)


def blocks_of(graph: Graph, *, done: str = "") -> list[Block]:
    """The blocks of a run's start; `done` are tasks that have ended already."""
    ended = {graph.position_of[name] for name in done.split()}
    return cut(graph, graph.roots, waits=lambda position: position not in ended)


def drawn(graph: Graph, blocks: list[Block]) -> list[str]:
    """Blocks as text: `a > (b | c > d) > e` for stretches, joined by ` + ` in a chord."""

    def shown(stretch: Stretch) -> str:
        return " > ".join(
            f"({' | '.join(shown(branch) for branch in step.branches)})"
            if isinstance(step, Fork)
            else graph.nodes[step].task_id
            if isinstance(step, int)
            else f"{graph.nodes[step.position].task_id}[{step.map_index}]"
            for step in stretch
        )

    return [" + ".join(shown(stretch) for stretch in block.stretches) for block in blocks]


# ---------------------------------------------------------------- what must always hold


def followed(stretch: Stretch, before: tuple[int, ...]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Each step of a stretch with the steps directly before it."""
    for step in stretch:
        if isinstance(step, Fork):
            for branch in step.branches:
                yield from followed(branch, before)
            before = tuple(sorted(tail(branch) for branch in step.branches))
        elif isinstance(step, int):
            yield step, before
            before = (step,)


def positions_of(block: Block) -> list[int]:
    return [position for stretch in block.stretches for position in positions_in(stretch)]


def tail(stretch: Stretch) -> int:
    assert isinstance(stretch[-1], int)
    return stretch[-1]


@given(graphs(gates=True, most=14), st.sets(st.integers(0, 13)))
def test_blocks_hold_what_is_ready_and_what_may_follow_it(graph: Graph, ended: set[int]) -> None:
    ready = [position for position in graph.roots if position not in ended]
    blocks = cut(graph, ready, waits=lambda position: position not in ended)
    taken = Counter(position for block in blocks for position in positions_of(block))
    assert set(ready) <= set(taken)
    assert set(taken.values()) <= {1}, "no task is sent twice"
    firsts = [positions_in(stretch)[0] for block in blocks for stretch in block.stretches]
    assert sorted(firsts) == ready
    for block in blocks:
        for stretch in block.stretches:
            assert len(positions_in(stretch)) <= MAX_STRETCH
            for position, before in list(followed(stretch, ()))[1:]:
                node = graph.nodes[position]
                assert node.upstream == before, "it awaits what stands before it, and no more"
                assert node.trigger_rule is ALL_SUCCESS
                assert not node.is_gated
                assert position not in ended
                assert not any(graph.nodes[up].is_branch for up in before), "a branch decides"


@given(graphs(gates=True, most=14))
def test_a_block_looks_after_everything_behind_it(graph: Graph) -> None:
    for block in blocks_of(graph):
        inside = set(positions_of(block))
        behind = {after for position in inside for after in graph.downstream[position]} - inside
        assert block.towards is None or behind == set(block.towards)


@given(graphs(gates=True, most=14))
def test_what_must_be_heard_of_at_once_shares_no_chord(graph: Graph) -> None:
    for block in blocks_of(graph):
        if len(block.stretches) > 1:
            assert len({graph.downstream[tail(stretch)] for stretch in block.stretches}) == 1
            for stretch in block.stretches:
                assert not any(graph.nodes[position].is_gated for position in positions_in(stretch))
                after = graph.downstream[tail(stretch)]
                assert not any(graph.nodes[p].trigger_rule in EAGER for p in after)
        for stretch in block.stretches:
            inner = positions_in(stretch)[:-1]
            behind = {p for position in inner for p in graph.downstream[position]}
            assert not any(graph.nodes[p].trigger_rule in EAGER for p in behind)


@given(graphs(gates=True, most=14), st.sets(st.integers(0, 13)))
def test_rows_that_a_block_may_need_are_known_beforehand(graph: Graph, ended: set[int]) -> None:
    for block in cut(graph, graph.roots, waits=lambda position: position not in ended):
        for stretch in block.stretches:
            steps = positions_in(stretch)
            assert set(steps) <= reach(graph, steps[0])


@given(graphs(), outcomes(), _randoms)
def test_every_run_ends_in_blocks_too(
    graph: Graph, told: dict[int, TaskState], random: Random
) -> None:
    run = Run(graph, random, outcome_of=told).to_the_end_in_blocks()
    assert run.ended is not None
    assert set(run.state.values()) <= FINAL


@given(graphs(rules=STEADY, branches=False), outcomes((T.SUCCESS, T.FAILED)), _randoms, _randoms)
def test_blocks_change_nothing_about_how_tasks_end(
    graph: Graph, told: dict[int, TaskState], one: Random, other: Random
) -> None:
    slow = Run(graph, one, outcome_of=told).to_the_end()
    quick = Run(graph, other, outcome_of=told).to_the_end_in_blocks()
    assert quick.state == slow.state


#: Rules that wait for a branch's decision before they say anything.
PATIENT = (TriggerRule.ALL_DONE, TriggerRule.NONE_FAILED, TriggerRule.NONE_SKIPPED)


@given(graphs(rules=PATIENT), _randoms, _randoms)
def test_blocks_change_nothing_about_what_branches_pass_over(
    graph: Graph, one: Random, other: Random
) -> None:
    slow = Run(graph, one).to_the_end()
    quick = Run(graph, other, chosen_by=slow.chosen_by).to_the_end_in_blocks()
    assert quick.state == slow.state


# ---------------------------------------------------------------- shapes


def test_a_chain_is_one_stretch() -> None:
    graph = graph_of({"a": "", "b": "a", "c": "b"})
    (block,) = blocks_of(graph)
    assert drawn(graph, [block]) == ["a > b > c"]
    assert block.towards == ()


def test_a_diamond_is_one_stretch() -> None:
    graph = graph_of({"a": "", "b": "a", "c": "a", "d": "c", "e": "b d", "f": "e"})
    assert drawn(graph, blocks_of(graph)) == ["a > (b | c > d) > e > f"]


def test_diamonds_may_stand_in_diamonds() -> None:
    graph = graph_of({"a": "", "b": "a", "c": "a", "d": "c", "e": "c", "f": "d e", "g": "b f"})
    assert drawn(graph, blocks_of(graph)) == ["a > (b | c > (d | e) > f) > g"]


def test_a_fan_from_many_starts_is_one_chord() -> None:
    graph = graph_of(
        {**{f"t{i}": "" for i in range(1000)}, "join": " ".join(f"t{i}" for i in range(1000))}
    )
    (block,) = blocks_of(graph)
    assert len(block.stretches) == 1000
    assert block.towards == (1000,)


def test_stretches_that_lead_elsewhere_are_blocks_of_their_own() -> None:
    graph = graph_of({"a": "", "b": "", "c": "", "x": "a", "y": "b c", "z": "c"})
    assert drawn(graph, blocks_of(graph)) == ["a > x", "b", "c"]


def test_leaves_make_a_chord_that_leads_nowhere() -> None:
    graph = graph_of({"a": "", "b": "", "c": "", "d": "c"})
    (block,) = blocks_of(graph)
    assert drawn(graph, [block]) == ["a + b + c > d"]
    assert block.towards == ()


def test_a_stretch_ends_before_a_task_with_a_rule_of_its_own() -> None:
    graph = graph_of({"a": "", "b": "a", "c": "b"}, rules={"b": TriggerRule.ALL_DONE})
    assert drawn(graph, blocks_of(graph)) == ["a"]


def test_a_stretch_ends_after_a_branch_even_one_that_leads_to_a_join() -> None:
    """Only the planner knows whether the join was chosen."""
    graph = graph_of({"a": "", "b": "a", "c": "a", "d": "b c"}, branches="b")
    assert drawn(graph, blocks_of(graph)) == ["a"]
    graph = graph_of({"b": "", "x": "b"}, branches="b")
    assert drawn(graph, blocks_of(graph)) == ["b"]


def test_a_task_that_needs_a_slot_stands_alone() -> None:
    graph = graph_of({"a": "", "b": "", "c": "a", "d": "b"}, gated="a d")
    assert drawn(graph, blocks_of(graph)) == ["a", "b"]


def test_a_task_whose_success_is_awaited_eagerly_stands_alone() -> None:
    graph = graph_of({"a": "", "b": "", "x": "a b"}, rules={"x": TriggerRule.ONE_SUCCESS})
    assert drawn(graph, blocks_of(graph)) == ["a", "b"]


def test_a_stretch_stops_before_what_has_ended_already() -> None:
    graph = graph_of({"a": "", "b": "a", "c": "b"})
    assert drawn(graph, blocks_of(graph, done="b")) == ["a"]


def test_a_long_chain_is_cut_where_its_messages_would_grow() -> None:
    graph = graph_of({f"t{i}": f"t{i - 1}" if i else "" for i in range(120)})
    (block,) = blocks_of(graph)
    assert len(positions_of(block)) == MAX_STRETCH
    assert block.towards == (MAX_STRETCH,)


def test_a_fork_that_does_not_fit_is_left_to_the_next_dispatch() -> None:
    edges = {"a": "", **{f"t{i}": "a" for i in range(MAX_STRETCH)}}
    graph = graph_of({**edges, "join": " ".join(list(edges)[1:])})
    assert drawn(graph, blocks_of(graph)) == ["a"]


def test_what_leads_to_too_many_has_the_whole_graph_planned() -> None:
    graph = graph_of({"a": "", **{f"t{i}": "a" for i in range(MAX_TARGETS + 1)}})
    (block,) = blocks_of(graph)
    assert block.towards is None
