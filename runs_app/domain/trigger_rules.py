"""When a task may start, seen from its direct upstream tasks: the 13 rules.

The table is Airflow's (its `trigger_rule_dep`), early outcomes included: a task whose rule can no
longer be met is settled at once and does not wait for the rest. In one place it waits where Airflow
does not, so that a run ends the same whatever came first: see `_all_success` and ADR 0013. A
cancelled task counts as failed.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from dags_app.domain.tasks import TriggerRule
from runs_app.domain.states import TaskState


class Verdict(enum.Enum):
    """What a rule says about a task that waits."""

    WAIT = "wait"
    RUN = "run"
    SKIP = "skip"
    UPSTREAM_FAILED = "upstream_failed"


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of a task's direct upstream tasks ended in which way."""

    total: int
    success: int = 0
    skipped: int = 0
    failed: int = 0
    upstream_failed: int = 0
    removed: int = 0
    setups: int = 0
    setups_succeeded: int = 0
    setups_skipped: int = 0

    @classmethod
    def of(cls, states: Iterable[TaskState], *, setups: Iterable[TaskState] = ()) -> Tally:
        """The tally of upstream tasks, of which some may be setup tasks."""
        count = Counter(states)
        of_setups = Counter(setups)
        return cls(
            total=count.total(),
            success=count[TaskState.SUCCESS],
            skipped=count[TaskState.SKIPPED],
            failed=count[TaskState.FAILED] + count[TaskState.CANCELLED],
            upstream_failed=count[TaskState.UPSTREAM_FAILED],
            removed=count[TaskState.REMOVED],
            setups=of_setups.total(),
            setups_succeeded=of_setups[TaskState.SUCCESS],
            setups_skipped=of_setups[TaskState.SKIPPED],
        )

    @property
    def done(self) -> bool:
        ended = self.success + self.skipped + self.failed + self.upstream_failed + self.removed
        return ended >= self.total

    @property
    def broken(self) -> int:
        return self.failed + self.upstream_failed


def judge(rule: TriggerRule, tally: Tally) -> Verdict:
    """What `rule` says. A task with no upstream runs; with all upstream done none has to wait."""
    return _RULES[rule](tally) if tally.total else Verdict.RUN


def _all_success(t: Tally) -> Verdict:
    if t.broken:
        return Verdict.UPSTREAM_FAILED
    if not t.done:
        # Also where one was skipped: another may yet fail, and that counts more.
        return Verdict.WAIT
    return Verdict.SKIP if t.skipped else Verdict.RUN


def _all_failed(t: Tally) -> Verdict:
    if t.success or t.skipped:
        return Verdict.SKIP
    return Verdict.RUN if t.done else Verdict.WAIT


def _all_done(t: Tally) -> Verdict:
    return Verdict.RUN if t.done else Verdict.WAIT


def _all_done_min_one_success(t: Tally) -> Verdict:
    if t.skipped:
        return Verdict.SKIP
    if not t.done:
        return Verdict.WAIT
    return Verdict.RUN if t.success else Verdict.UPSTREAM_FAILED


def _all_done_setup_success(t: Tally) -> Verdict:
    if not t.done:
        return Verdict.WAIT
    if not t.setups or t.setups_succeeded:
        return Verdict.RUN
    return Verdict.SKIP if t.setups_skipped == t.setups else Verdict.UPSTREAM_FAILED


def _one_success(t: Tally) -> Verdict:
    if t.success:
        return Verdict.RUN
    if not t.done:
        return Verdict.WAIT
    return Verdict.SKIP if t.skipped == t.total else Verdict.UPSTREAM_FAILED


def _one_failed(t: Tally) -> Verdict:
    if t.broken:
        return Verdict.RUN
    return Verdict.SKIP if t.done else Verdict.WAIT


def _one_done(t: Tally) -> Verdict:
    if t.success or t.failed:
        return Verdict.RUN
    return Verdict.SKIP if t.done else Verdict.WAIT


def _none_failed(t: Tally) -> Verdict:
    if t.broken:
        return Verdict.UPSTREAM_FAILED
    return Verdict.RUN if t.done else Verdict.WAIT


def _none_failed_min_one_success(t: Tally) -> Verdict:
    if t.broken:
        return Verdict.UPSTREAM_FAILED
    if not t.done:
        return Verdict.WAIT
    if t.success:
        return Verdict.RUN
    return Verdict.SKIP if t.skipped == t.total else Verdict.UPSTREAM_FAILED


def _none_skipped(t: Tally) -> Verdict:
    if t.skipped:
        return Verdict.SKIP
    return Verdict.RUN if t.done else Verdict.WAIT


def _all_skipped(t: Tally) -> Verdict:
    if t.success or t.broken:
        return Verdict.SKIP
    if not t.done:
        return Verdict.WAIT
    return Verdict.RUN if t.skipped == t.total else Verdict.SKIP


def _always(_: Tally) -> Verdict:
    return Verdict.RUN


_RULES: Mapping[TriggerRule, Callable[[Tally], Verdict]] = {
    TriggerRule.ALL_SUCCESS: _all_success,
    TriggerRule.ALL_FAILED: _all_failed,
    TriggerRule.ALL_DONE: _all_done,
    TriggerRule.ALL_DONE_MIN_ONE_SUCCESS: _all_done_min_one_success,
    TriggerRule.ALL_DONE_SETUP_SUCCESS: _all_done_setup_success,
    TriggerRule.ONE_SUCCESS: _one_success,
    TriggerRule.ONE_FAILED: _one_failed,
    TriggerRule.ONE_DONE: _one_done,
    TriggerRule.NONE_FAILED: _none_failed,
    TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS: _none_failed_min_one_success,
    TriggerRule.NONE_SKIPPED: _none_skipped,
    TriggerRule.ALL_SKIPPED: _all_skipped,
    TriggerRule.ALWAYS: _always,
}

#: Rules by which one upstream's success is enough to start: nobody may keep it from being noticed.
EAGER = frozenset({TriggerRule.ONE_SUCCESS, TriggerRule.ONE_DONE})
