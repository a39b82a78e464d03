"""The 13 trigger rules as they are published: written from the table, and not from our code."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dags_app.domain.tasks import TriggerRule
from runs_app.domain.states import TaskState
from runs_app.domain.trigger_rules import Verdict

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
    setups: int = 0
    setups_s: int = 0
    setups_k: int = 0

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
    Rule.ALL_DONE_SETUP_SUCCESS: Published(
        runs=lambda c: c.done and (c.setups == 0 or c.setups_s >= 1),
        upstream_failed=lambda c: c.done and c.setups_s == 0 and c.setups_k < c.setups,
        skipped=lambda c: c.done and c.setups > 0 and c.setups_k == c.setups,
    ),
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


def counts(states: Iterable[TaskState], setups: Iterable[TaskState] = ()) -> Counts:
    """Of upstream tasks, some of which (`setups`) may be setup tasks."""
    there, of_setups = list(states), list(setups)
    return Counts(
        n=len(there),
        s=there.count(T.SUCCESS),
        k=there.count(T.SKIPPED),
        f=there.count(T.FAILED),
        u=there.count(T.UPSTREAM_FAILED),
        r=there.count(T.REMOVED),
        setups=len(of_setups),
        setups_s=of_setups.count(T.SUCCESS),
        setups_k=of_setups.count(T.SKIPPED),
    )
