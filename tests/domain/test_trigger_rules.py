"""The 13 trigger rules, for every mixture of up to four upstream tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement

import pytest

from dags_app.domain.tasks import TriggerRule
from runs_app.domain.states import FINAL, TaskState
from runs_app.domain.trigger_rules import EAGER, Tally, Verdict, judge

T, V, Rule = TaskState, Verdict, TriggerRule

Condition = Callable[["Counts"], bool]


@dataclass(frozen=True)
class Counts:
    """Upstream tasks by how they ended, in the letters of Airflow's documentation."""

    n: int
    s: int
    k: int
    f: int
    u: int
    r: int

    @property
    def done(self) -> bool:
        return self.s + self.k + self.f + self.u + self.r == self.n


@dataclass(frozen=True)
class Published:
    """A rule as Airflow 2 and 3 publish it: when the task runs, and when it is settled unrun.

    https://airflow.apache.org/docs/apache-airflow/stable/core-concepts/dags.html#trigger-rules and
    the early outcomes of `airflow/ti_deps/deps/trigger_rule_dep.py`.
    """

    runs: Condition
    upstream_failed: Condition = lambda _: False
    skipped: Condition = lambda _: False

    def verdict(self, c: Counts) -> Verdict:
        if self.upstream_failed(c):
            return V.UPSTREAM_FAILED
        if self.skipped(c):
            return V.SKIP
        return V.RUN if self.runs(c) else V.WAIT


def _broken(c: Counts) -> bool:
    return c.f + c.u > 0


RULES: dict[TriggerRule, Published] = {
    Rule.ALL_SUCCESS: Published(
        runs=lambda c: c.n - c.s - c.r == 0,
        upstream_failed=_broken,
        # Airflow settles this early, and then its outcome depends on which came first.
        skipped=lambda c: c.done and c.k > 0,
    ),
    Rule.ALL_FAILED: Published(
        runs=lambda c: c.n - c.f - c.u - c.r == 0,
        skipped=lambda c: c.s > 0 or c.k > 0,
    ),
    Rule.ALL_DONE: Published(runs=lambda c: c.done),
    Rule.ALL_DONE_MIN_ONE_SUCCESS: Published(
        runs=lambda c: c.done and c.k == 0 and c.s >= 1,
        upstream_failed=lambda c: c.done and c.s == 0 and c.k == 0,
        skipped=lambda c: c.k > 0,
    ),
    # No task before it is a setup task here; see below for those.
    Rule.ALL_DONE_SETUP_SUCCESS: Published(runs=lambda c: c.done),
    Rule.ONE_SUCCESS: Published(
        runs=lambda c: c.s >= 1,
        upstream_failed=lambda c: c.done and c.s == 0 and c.k < c.n,
        skipped=lambda c: c.k == c.n,
    ),
    Rule.ONE_FAILED: Published(
        runs=_broken,
        skipped=lambda c: c.done and not _broken(c),
    ),
    Rule.ONE_DONE: Published(
        runs=lambda c: c.s + c.f >= 1,
        skipped=lambda c: c.done and c.s + c.f == 0,
    ),
    Rule.NONE_FAILED: Published(
        runs=lambda c: c.n - c.s - c.k - c.r == 0,
        upstream_failed=_broken,
    ),
    Rule.NONE_FAILED_MIN_ONE_SUCCESS: Published(
        runs=lambda c: c.n - c.s - c.k - c.r == 0 and c.s >= 1,
        upstream_failed=lambda c: _broken(c) or (c.done and c.s == 0 and c.k < c.n),
        skipped=lambda c: c.k == c.n,
    ),
    Rule.NONE_SKIPPED: Published(
        runs=lambda c: c.done and c.k == 0,
        skipped=lambda c: c.k > 0,
    ),
    Rule.ALL_SKIPPED: Published(
        runs=lambda c: c.n == c.k,
        # Airflow waits for ever where all have ended and one was removed; here it is settled.
        skipped=lambda c: c.s + c.f + c.u > 0 or (c.done and c.k < c.n),
    ),
    Rule.ALWAYS: Published(runs=lambda _: True),
}

#: One unfinished state stands for all of them.
STATES = (T.SUCCESS, T.SKIPPED, T.FAILED, T.UPSTREAM_FAILED, T.REMOVED, T.RUNNING)


def mixtures() -> Iterator[tuple[TaskState, ...]]:
    for size in range(1, 5):
        yield from combinations_with_replacement(STATES, size)


def counts(states: tuple[TaskState, ...]) -> Counts:
    return Counts(
        n=len(states),
        s=states.count(T.SUCCESS),
        k=states.count(T.SKIPPED),
        f=states.count(T.FAILED),
        u=states.count(T.UPSTREAM_FAILED),
        r=states.count(T.REMOVED),
    )


@pytest.mark.parametrize("rule", Rule)
def test_a_rule_says_what_airflow_has_published(rule: TriggerRule) -> None:
    for states in mixtures():
        assert judge(rule, Tally.of(states)) is RULES[rule].verdict(counts(states)), states


@pytest.mark.parametrize("rule", Rule)
def test_a_task_never_waits_for_tasks_that_have_all_ended(rule: TriggerRule) -> None:
    for states in mixtures():
        if all(state in FINAL for state in states):
            assert judge(rule, Tally.of(states)) is not V.WAIT, states


@pytest.mark.parametrize("rule", Rule)
def test_a_task_with_nothing_before_it_runs(rule: TriggerRule) -> None:
    assert judge(rule, Tally.of([])) is V.RUN


@pytest.mark.parametrize("rule", Rule)
def test_a_task_that_runs_already_would_have_run_with_more_known(rule: TriggerRule) -> None:
    """To start early is no mistake: no way in which the rest may end would have settled it."""
    for states in mixtures():
        if judge(rule, Tally.of(states)) is V.RUN and T.RUNNING in states:
            for end in set(STATES) - {T.RUNNING}:
                ended = [end if state is T.RUNNING else state for state in states]
                assert judge(rule, Tally.of(ended)) is V.RUN, (states, end)


@pytest.mark.parametrize("rule", Rule)
def test_a_cancelled_task_counts_as_failed(rule: TriggerRule) -> None:
    for states in mixtures():
        cancelled = [T.CANCELLED if state is T.FAILED else state for state in states]
        assert judge(rule, Tally.of(cancelled)) is judge(rule, Tally.of(states))


@pytest.mark.parametrize("rule", Rule)
def test_every_unfinished_state_counts_alike(rule: TriggerRule) -> None:
    for state in set(TaskState) - FINAL:
        for states in mixtures():
            other = [state if each is T.RUNNING else each for each in states]
            assert judge(rule, Tally.of(other)) is judge(rule, Tally.of(states))


def test_eager_rules_are_those_that_one_success_may_satisfy_before_the_rest() -> None:
    early = {
        rule
        for rule in Rule
        if judge(rule, Tally.of([T.SUCCESS, T.RUNNING])) is V.RUN
        and judge(rule, Tally.of([T.RUNNING, T.RUNNING])) is V.WAIT
    }
    assert early == EAGER


@pytest.mark.parametrize(
    ("succeeded", "skipped", "broken", "verdict"),
    [
        (0, 0, 0, V.RUN),
        (1, 0, 0, V.RUN),
        (1, 1, 1, V.RUN),
        (0, 1, 0, V.SKIP),
        (0, 2, 0, V.SKIP),
        (0, 1, 1, V.UPSTREAM_FAILED),
        (0, 0, 1, V.UPSTREAM_FAILED),
    ],
)
def test_a_teardown_runs_if_a_setup_succeeded(
    succeeded: int, skipped: int, broken: int, verdict: Verdict
) -> None:
    setups = succeeded + skipped + broken
    tally = Tally(
        total=setups + 1,
        success=succeeded,
        skipped=skipped,
        failed=broken + 1,  # what they set up for has failed, which is nothing to a teardown
        setups=setups,
        setups_succeeded=succeeded,
        setups_skipped=skipped,
    )
    assert judge(Rule.ALL_DONE_SETUP_SUCCESS, tally) is verdict
