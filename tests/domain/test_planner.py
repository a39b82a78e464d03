"""The planner: what follows from where a run's tasks stand, for any graph and any outcomes."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dags_app.domain.tasks import TriggerRule
from runs_app.domain.graph import Graph
from runs_app.domain.planner import Plan, Standing, plan, ready_among, rollup
from runs_app.domain.states import FINAL, RunState, TaskState
from tests.domain.runs import Run, graph_of, graphs, outcomes

T, Rule = TaskState, TriggerRule

#: Rules whose outcome does not depend on which upstream task ended first, as long as none skips.
#: (Of one skipped and one failed, `all_success` goes by the first: that is Airflow's rule.)
STEADY = (Rule.ALL_SUCCESS, Rule.ALL_DONE, Rule.ALWAYS, Rule.ONE_SUCCESS, Rule.NONE_SKIPPED)

_randoms = st.integers(0, 2**32).map(Random)


def ends(graph: Graph, **how: TaskState) -> dict[str, str]:
    """How each task ends, where some end as told and all others succeed."""
    told = {graph.position_of[name]: state for name, state in how.items()}
    run = Run(graph, Random(0), outcome_of=told).to_the_end()
    return {node.task_id: run.state[node.position].value for node in graph.nodes}


def branch_ends(graph: Graph, chosen: str) -> dict[str, str]:
    """The same, where the branch task `b` goes on with `chosen`."""
    picked = frozenset(graph.position_of[name] for name in chosen.split())
    run = Run(graph, Random(0), chosen_by={graph.position_of["b"]: picked}).to_the_end()
    return {node.task_id: run.state[node.position].value for node in graph.nodes}


# ---------------------------------------------------------------- any graph, any outcomes


@given(graphs(), outcomes(), _randoms)
def test_every_run_ends_whatever_happens(
    graph: Graph, told: dict[int, TaskState], random: Random
) -> None:
    run = Run(graph, random, outcome_of=told).to_the_end()
    assert set(run.state.values()) <= FINAL
    assert run.ended is rollup(run.state[leaf] for leaf in graph.leaves)


@given(graphs(), outcomes(), _randoms)
def test_nothing_starts_before_its_rule_is_met(
    graph: Graph, told: dict[int, TaskState], random: Random
) -> None:
    def on_start(run: Run, position: int) -> None:
        node = graph.nodes[position]
        before = [run.state[up] for up in node.upstream]
        succeeded, broken = before.count(T.SUCCESS), len({T.FAILED, T.CANCELLED} & set(before))
        match node.trigger_rule:
            case Rule.ALWAYS:
                met = True
            case Rule.ONE_SUCCESS:
                met = succeeded > 0 or not before
            case Rule.ONE_FAILED:
                met = broken > 0 or T.UPSTREAM_FAILED in before or not before
            case Rule.ONE_DONE:
                met = succeeded + broken > 0 or not before
            case Rule.ALL_SUCCESS:
                met = succeeded == len(before)
            case _:
                met = all(state in FINAL for state in before)
        assert met, (node, before)

    Run(graph, random, outcome_of=told, on_start=on_start).to_the_end()


@given(graphs(), outcomes(), _randoms)
def test_a_plan_that_is_made_again_says_nothing_new(
    graph: Graph, told: dict[int, TaskState], random: Random
) -> None:
    def on_plan(run: Run, found: Plan) -> None:
        now = run.standings()
        assert plan(graph, now) == found
        assert plan(graph, dict(sorted(now.items(), reverse=True))) == found
        # With the settled ones written, the rest of the plan stays as it is.
        now |= {position: Standing(T.SKIPPED) for position in found.skipped}
        now |= {position: Standing(T.UPSTREAM_FAILED) for position in found.upstream_failed}
        assert plan(graph, now) == Plan(ready=found.ready, ends=found.ends)
        # And with the ready ones queued there is nothing left to do.
        now |= {position: Standing(T.QUEUED) for position in found.ready}
        assert plan(graph, now) == Plan(ends=found.ends)

    Run(graph, random, outcome_of=told, on_plan=on_plan).to_the_end()


@given(graphs(), outcomes(), _randoms)
def test_each_task_is_named_once_and_only_if_it_waits(
    graph: Graph, told: dict[int, TaskState], random: Random
) -> None:
    def on_plan(run: Run, found: Plan) -> None:
        named = found.ready + found.skipped + found.upstream_failed
        assert len(named) == len(set(named))
        assert all(run.state[position] is T.WAITING for position in named)
        assert found.ready == sorted(found.ready)
        assert found.ends is None or not found.ready

    Run(graph, random, outcome_of=told, on_plan=on_plan).to_the_end()


@given(
    graphs(rules=STEADY, branches=False),
    outcomes((T.SUCCESS, T.FAILED, T.CANCELLED)),
    _randoms,
    _randoms,
)
def test_the_order_in_which_tasks_end_changes_nothing(
    graph: Graph, told: dict[int, TaskState], one: Random, other: Random
) -> None:
    first = Run(graph, one, outcome_of=told).to_the_end()
    second = Run(graph, other, outcome_of=told).to_the_end()
    assert (first.state, first.ended) == (second.state, second.ended)


@given(graphs(), outcomes(), _randoms)
def test_the_cheap_look_sees_what_the_whole_plan_sees(
    graph: Graph, told: dict[int, TaskState], random: Random
) -> None:
    def on_plan(run: Run, found: Plan) -> None:
        for position in range(len(graph)):
            towards = graph.downstream[position]
            seen = ready_among(graph, towards, run.standings())
            settled = sorted({*found.skipped, *found.upstream_failed})
            if seen is None:
                assert set(towards) & set(settled)
                continue
            assert set(seen) <= set(found.ready)
            # What is settled first is so by what can be seen; the rest may be settled by the first.
            assert not settled or settled[0] not in towards
            if not settled:
                assert seen == [p for p in towards if p in found.ready]

    Run(graph, random, outcome_of=told, on_plan=on_plan).to_the_end()


# ---------------------------------------------------------------- what people expect

DIAMOND = {"a": "", "b": "a", "c": "a", "d": "b c"}


def test_a_failure_is_passed_on_to_everything_behind_it() -> None:
    assert ends(graph_of(DIAMOND), b=T.FAILED) == {
        "a": "success",
        "b": "failed",
        "c": "success",
        "d": "upstream_failed",
    }


def test_a_skip_is_passed_on_to_everything_behind_it() -> None:
    chain = {"a": "", "b": "a", "c": "b", "d": "c"}
    assert list(ends(graph_of(chain), a=T.SKIPPED).values()) == ["skipped"] * 4


def test_failures_and_skips_behind_each_other_are_settled_in_one_plan() -> None:
    graph = graph_of({f"t{i}": f"t{i - 1}" if i else "" for i in range(1_000)})
    standings = {i: Standing(T.WAITING) for i in range(1_000)} | {0: Standing(T.FAILED)}
    found = plan(graph, standings)
    assert found.upstream_failed == list(range(1, 1_000))
    assert found.ends is RunState.FAILED


def test_a_clean_up_runs_after_a_failure() -> None:
    rules = {"d": Rule.ALL_DONE}
    assert ends(graph_of(DIAMOND, rules=rules), b=T.FAILED)["d"] == "success"


def test_an_alarm_runs_only_after_a_failure() -> None:
    graph = graph_of(DIAMOND, rules={"d": Rule.ONE_FAILED})
    assert ends(graph)["d"] == "skipped"
    assert ends(graph, c=T.FAILED)["d"] == "success"


# ---------------------------------------------------------------- branches

FORK = {"b": "", "x": "b", "y": "b", "x2": "x", "join": "x2 y"}


def test_what_a_branch_passes_over_is_skipped_and_so_is_what_follows() -> None:
    graph = graph_of(FORK, branches="b", rules={"join": Rule.NONE_FAILED_MIN_ONE_SUCCESS})
    assert branch_ends(graph, "y") == {
        "b": "success",
        "x": "skipped",
        "y": "success",
        "x2": "skipped",
        "join": "success",
    }


def test_a_branch_that_goes_on_with_nothing_skips_all() -> None:
    graph = graph_of(FORK, branches="b", rules={"join": Rule.NONE_FAILED_MIN_ONE_SUCCESS})
    assert set(branch_ends(graph, "").values()) == {"success", "skipped"}
    assert branch_ends(graph, "")["join"] == "skipped"


def test_even_a_task_that_always_runs_is_skipped_where_a_branch_passes_it_over() -> None:
    graph = graph_of({"b": "", "x": "b", "y": "b"}, branches="b", rules={"y": Rule.ALWAYS})
    run = Run(graph, Random(0), chosen_by={0: frozenset({1})}, state={})
    run.state |= {0: T.SUCCESS, 1: T.WAITING, 2: T.WAITING}
    assert plan(graph, run.standings()).skipped == [2]


def test_a_join_that_hangs_on_the_branch_too_waits_for_what_was_chosen() -> None:
    """Airflow's rule: what follows a chosen task is not passed over by its branch."""
    graph = graph_of({"b": "", "x": "b", "join": "b x"}, branches="b")
    assert set(branch_ends(graph, "x").values()) == {"success"}
    assert branch_ends(graph, "join")["join"] == "skipped", "x was passed over, and it awaits x"


@pytest.mark.parametrize("first", ["b", "f"])
def test_a_failure_counts_more_than_a_decision_whichever_came_first(first: str) -> None:
    graph = graph_of({"b": "", "f": "", "x": "b", "join": "b f"}, branches="b")
    standing = {"b": Standing(T.SUCCESS, frozenset({2})), "f": Standing(T.FAILED)}
    waiting = dict.fromkeys(range(4), Standing(T.WAITING))
    early = plan(graph, waiting | {graph.position_of[first]: standing[first]})
    assert early.skipped == [], "what may still fail is not skipped"
    now = waiting | {graph.position_of[name]: found for name, found in standing.items()}
    assert early.upstream_failed + plan(graph, now).upstream_failed != []
    assert plan(graph, now).skipped == []


@pytest.mark.parametrize("rule", [Rule.ALL_DONE, Rule.NONE_FAILED, Rule.ONE_SUCCESS])
def test_the_cheap_look_does_not_miss_a_short_circuit_further_up(rule: TriggerRule) -> None:
    nodes = graph_of({"s": "", "x": "s", "a": "", "join": "x a"}, rules={"join": rule}).nodes
    graph = Graph([replace(nodes[0], is_branch=True, stops_all=True), *nodes[1:]])
    stopped = Standing(T.SUCCESS, frozenset())
    standings = dict(enumerate([stopped, Standing(T.SKIPPED), Standing(T.SUCCESS)]))
    standings[3] = Standing(T.WAITING)
    assert plan(graph, standings).skipped == [3]
    seen = {position: standings[position] for position in (1, 2, 3)}
    assert ready_among(graph, [3], seen) is None


def test_a_branch_that_fails_decides_nothing() -> None:
    graph = graph_of(FORK, branches="b")
    assert ends(graph, b=T.FAILED)["x"] == "upstream_failed"


def test_many_joins_behind_one_branch_are_planned_in_a_moment() -> None:
    edges = {"b": "", "x": "b"} | {f"j{i}": "b x" for i in range(3_000)}
    graph = graph_of(edges, branches="b")
    run = Run(graph, Random(0), chosen_by={0: frozenset({1})})
    run.state |= {0: T.SUCCESS, 1: T.SUCCESS}
    assert len(plan(graph, run.standings()).ready) == 3_000


# ---------------------------------------------------------------- how a run ends


@pytest.mark.parametrize(
    ("leaves", "ends_as"),
    [
        ([T.SUCCESS], RunState.SUCCESS),
        ([T.SKIPPED], RunState.SUCCESS),
        ([T.SUCCESS, T.SKIPPED, T.REMOVED], RunState.SUCCESS),
        ([T.SUCCESS, T.FAILED], RunState.FAILED),
        ([T.UPSTREAM_FAILED], RunState.FAILED),
        ([T.SUCCESS, T.CANCELLED], RunState.FAILED),
    ],
)
def test_one_failed_leaf_fails_a_run(leaves: list[TaskState], ends_as: RunState) -> None:
    assert rollup(leaves) is ends_as


def test_a_failure_that_was_dealt_with_fails_no_run() -> None:
    graph = graph_of({"a": "", "clean": "a"}, rules={"clean": Rule.ALL_DONE})
    run = Run(graph, Random(0), outcome_of={0: T.FAILED}).to_the_end()
    assert run.ended is RunState.SUCCESS


@pytest.mark.parametrize("state", sorted(set(TaskState) - FINAL))
def test_a_run_with_anything_left_to_do_goes_on(state: TaskState) -> None:
    graph = graph_of({"a": "", "b": ""})
    assert plan(graph, {0: Standing(T.SUCCESS), 1: Standing(state)}).ends is None
