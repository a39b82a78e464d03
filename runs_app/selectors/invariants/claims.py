"""Who started what, and whether they might: I1 and I5, reconstructed from history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from dags_app.domain.tasks import TriggerRule
from runs_app.domain.states import TaskState
from runs_app.domain.trigger_rules import Tally, Verdict, judge
from runs_app.selectors.invariants.terms import I1, I5, TASK, Breach, Found, breaches, query
from skytrail.database.statement import Statement

# A try that no worker took in time has an attempt as well, without a worker: nobody executed it.
_CLAIMED_ONCE = query(
    "claimed_once",
    f"""
WITH claims AS (
  SELECT h.task_run_id, h.epoch, count(*) AS times
  FROM skytrail_transition h
  WHERE h.run_id = ANY (%(runs)s::uuid[]) AND h.task_run_id IS NOT NULL AND h.to_state = 'running'
  GROUP BY h.task_run_id, h.epoch
), executions AS (
  SELECT a.task_run_id, a.epoch, count(*) AS times
  FROM skytrail_task_run t JOIN skytrail_attempt a ON a.task_run_id = t.id
  WHERE t.run_id = ANY (%(runs)s::uuid[]) AND a.worker <> ''
  GROUP BY a.task_run_id, a.epoch
)
SELECT {TASK}, 'not_claimed_once' AS code,
  format('epoch %%s was claimed %%s times and executed %%s times',
    coalesce(c.epoch, e.epoch), coalesce(c.times, 0), coalesce(e.times, 0)) AS problem,
  false AS is_warning
FROM claims c
FULL JOIN executions e ON e.task_run_id = c.task_run_id AND e.epoch = c.epoch
JOIN skytrail_task_run t ON t.id = coalesce(c.task_run_id, e.task_run_id)
JOIN skytrail_dag_run run ON run.id = t.run_id
JOIN skytrail_dag d ON d.id = run.dag_id
WHERE c.times IS DISTINCT FROM 1 OR e.times IS DISTINCT FROM 1
ORDER BY run.id, t.position, coalesce(c.epoch, e.epoch)
""",
)

# An execution is under way if, and only if, it is the one that its task run stands for.
_ONE_LIVE_EXECUTION = query(
    "one_live_execution",
    f"""
SELECT {TASK}, 'execution_without_end' AS code,
  format('execution %%s is noted as under way, but the task is %%s at epoch %%s',
    a.epoch, t.state, t.epoch) AS problem,
  false AS is_warning
FROM skytrail_task_run t
JOIN skytrail_attempt a ON a.task_run_id = t.id AND a.finished_at IS NULL
JOIN skytrail_dag_run run ON run.id = t.run_id
JOIN skytrail_dag d ON d.id = run.dag_id
WHERE t.run_id = ANY (%(runs)s::uuid[])
  AND NOT (t.state = ANY (%(leased)s::text[]) AND t.epoch = a.epoch)
UNION ALL
SELECT {TASK}, 'execution_missing' AS code,
  format('it is %%s, but its execution %%s is noted as over', t.state, t.epoch) AS problem,
  false AS is_warning
FROM skytrail_task_run t
JOIN skytrail_dag_run run ON run.id = t.run_id
JOIN skytrail_dag d ON d.id = run.dag_id
WHERE t.run_id = ANY (%(runs)s::uuid[]) AND t.state = ANY (%(leased)s::text[])
  AND EXISTS (
    SELECT FROM skytrail_attempt a
    WHERE a.task_run_id = t.id AND a.epoch = t.epoch AND a.finished_at IS NOT NULL
  )
""",
)


@dataclass(frozen=True, slots=True)
class _Start:
    """A task found ready, and where its direct upstream tasks stood then."""

    run_pk: UUID
    task_run_pk: UUID
    dag_id: str
    run_id: str
    task_id: str
    trigger_rule: str
    at: datetime
    upstream: list[str]


# The moment that counts is the one at which a task leaves `waiting`: from then on it may be tried
# again, or taken over, whatever becomes of its upstream tasks. A gated task that slept comes back
# through `waiting` without being asked again. What was satisfied a moment ago counts as well: a
# claim does not lock the rows that it looks at.
_STARTS = Statement(
    "fsck_starts",
    f"""
WITH moves AS MATERIALIZED (
  SELECT h.task_run_id, h.from_state, h.to_state, h.at,
    lag(h.from_state) OVER w AS came_from, lead(h.at) OVER w AS until
  FROM skytrail_transition h
  WHERE h.run_id = ANY (%(runs)s::uuid[]) AND h.task_run_id IS NOT NULL
  WINDOW w AS (PARTITION BY h.task_run_id ORDER BY h.at, h.id)
), starts AS (
  SELECT t.id, t.run_id, v.upstream, v.trigger_rule, h.at
  FROM moves h
  JOIN skytrail_task_run t ON t.id = h.task_run_id
  JOIN skytrail_version_task v ON v.id = t.version_task_id
  WHERE h.from_state = 'waiting' AND h.to_state IN ('queued', 'running')
    AND v.upstream <> '{{}}' AND v.trigger_rule <> 'always'
    AND coalesce(h.came_from, '') <> ALL (%(sleeping)s::text[])
    -- What is mapped may have been expanded anew since: how many instances counted nobody knows.
    AND NOT EXISTS (
      SELECT FROM skytrail_version_task m
      WHERE m.version_id = v.version_id AND m.position = ANY (v.upstream)
        AND (m.expand IS NOT NULL OR m.expand_kwargs IS NOT NULL)
    )
), seen AS (
  SELECT DISTINCT ON (s.id, s.at, u.id) s.id, s.run_id, s.trigger_rule, s.at,
    coalesce(h.to_state, 'waiting') AS state
  FROM starts s
  CROSS JOIN LATERAL unnest(s.upstream) AS before (position)
  JOIN skytrail_task_run u
    ON u.run_id = s.run_id AND u.position = before.position AND u.map_index = -1
  LEFT JOIN moves h ON h.task_run_id = u.id AND h.at <= s.at
    AND (h.until IS NULL OR h.until > s.at - %(at_once)s::interval)
  ORDER BY s.id, s.at, u.id, (h.to_state = ANY (%(final)s::text[])) DESC NULLS LAST, h.at DESC
), judged AS (
  SELECT id, run_id, trigger_rule, at, array_agg(state::text) AS upstream
  FROM seen
  GROUP BY id, run_id, trigger_rule, at
  HAVING NOT (trigger_rule = 'all_success' AND bool_and(state = 'success'))
)
SELECT {TASK}, j.trigger_rule, j.at, j.upstream
FROM judged j
JOIN skytrail_task_run t ON t.id = j.id
JOIN skytrail_dag_run run ON run.id = t.run_id
JOIN skytrail_dag d ON d.id = run.dag_id
ORDER BY run.id, j.at
""",
    _Start,
)

# Only where the branch still stands by the choice, and the task hangs on nothing else.
_PASSED_OVER = query(
    "passed_over",
    f"""
SELECT {TASK}, 'started_though_passed_over' AS code,
  format('it was started, but the branch %%s before it went on with %%s',
    u.task_id, coalesce(nullif(array_to_string(u.chosen, ', '), ''), 'nothing')) AS problem,
  false AS is_warning
FROM skytrail_task_run t
JOIN skytrail_version_task v ON v.id = t.version_task_id AND cardinality(v.upstream) = 1
JOIN skytrail_version_task b
  ON b.version_id = v.version_id AND b.position = v.upstream[1]
    AND b.type IN ('branch', 'short_circuit', 'latest_only') AND NOT v.teardown
JOIN skytrail_task_run u
  ON u.run_id = t.run_id AND u.position = v.upstream[1] AND u.map_index = -1
JOIN skytrail_dag_run run ON run.id = t.run_id
JOIN skytrail_dag d ON d.id = run.dag_id
WHERE t.run_id = ANY (%(runs)s::uuid[])
  AND u.state = 'success' AND t.task_id <> ALL (u.chosen)
  AND EXISTS (
    SELECT FROM skytrail_transition h
    WHERE h.run_id = t.run_id AND h.task_run_id = t.id AND h.at > u.finished_at
      AND h.from_state = 'waiting' AND h.to_state IN ('queued', 'running')
  )
""",
)


def claimed_once(shared: Mapping[str, Any]) -> list[Breach]:
    """I1."""
    return breaches(I1, [*_CLAIMED_ONCE.all(**shared), *_ONE_LIVE_EXECUTION.all(**shared)])


def started_when_ready(shared: Mapping[str, Any]) -> list[Breach]:
    """I5."""
    return breaches(I5, [*_started_too_early(shared), *_PASSED_OVER.all(**shared)])


def _started_too_early(shared: Mapping[str, Any]) -> Iterator[Found]:
    for start in _STARTS.all(**shared):
        upstream = [TaskState(state) for state in start.upstream]
        if judge(TriggerRule(start.trigger_rule), Tally.of(upstream)) is Verdict.RUN:
            continue
        counts = Counter(start.upstream)
        stood = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
        yield Found(
            start.run_pk,
            start.task_run_pk,
            start.dag_id,
            start.run_id,
            start.task_id,
            "started_too_early",
            f"it was started at {start.at:%Y-%m-%d %H:%M:%S.%f}, when its rule "
            f"{start.trigger_rule} was not satisfied: before it were {stood}",
            is_warning=False,
        )
