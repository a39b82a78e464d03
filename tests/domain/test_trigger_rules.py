"""The 13 trigger rules, for every mixture of up to four upstream tasks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations_with_replacement

import pytest

from dags_app.domain.tasks import TriggerRule
from runs_app.domain.states import FINAL, TaskState
from runs_app.domain.trigger_rules import EAGER, Tally, Verdict, judge
from tests.domain.trigger_table import RULES, counts

T, V, Rule = TaskState, Verdict, TriggerRule

#: One unfinished state stands for all of them.
STATES = (T.SUCCESS, T.SKIPPED, T.FAILED, T.UPSTREAM_FAILED, T.REMOVED, T.RUNNING)


def mixtures() -> Iterator[tuple[TaskState, ...]]:
    for size in range(1, 5):
        yield from combinations_with_replacement(STATES, size)


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
