"""What history says: I2, I3 and I10. The rows of one thing are read in the order of their times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runs_app.selectors.invariants.terms import (
    I2,
    I3,
    I10,
    RUN,
    TASK,
    Breach,
    breaches,
    query,
)

#: Every move of the tasks `h`, with what the history had before it.
_TASK_MOVES = """
  SELECT h.task_run_id, h.from_state, h.to_state, h.epoch, h.reason, h.at,
    lag(h.to_state) OVER w AS state_before, lag(h.epoch) OVER w AS epoch_before,
    lead(h.id) OVER w IS NULL AS is_last
  FROM skytrail_transition h
  WHERE h.run_id = ANY (%(runs)s::uuid[]) AND h.task_run_id IS NOT NULL
  WINDOW w AS (PARTITION BY h.task_run_id ORDER BY h.at, h.id)"""

_OF_TASK = """JOIN skytrail_task_run t ON t.id = h.task_run_id
JOIN skytrail_dag_run run ON run.id = t.run_id
JOIN skytrail_dag d ON d.id = run.dag_id"""

_MOMENT = "to_char(h.at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"

_EPOCHS = query(
    "epochs",
    f"""
WITH moves AS ({_TASK_MOVES})
SELECT {TASK}, 'epoch_fell' AS code,
  format('its epoch fell from %%s to %%s at %%s (%%s → %%s)',
    h.epoch_before, h.epoch, {_MOMENT}, h.from_state, h.to_state) AS problem,
  false AS is_warning
FROM moves h {_OF_TASK}
WHERE h.epoch < h.epoch_before
UNION ALL
SELECT {TASK}, 'epoch_fell' AS code,
  format('its epoch is %%s, but an execution had %%s', t.epoch, max(a.epoch)) AS problem,
  false AS is_warning
FROM skytrail_task_run t
JOIN skytrail_attempt a ON a.task_run_id = t.id AND a.epoch > t.epoch
JOIN skytrail_dag_run run ON run.id = t.run_id
JOIN skytrail_dag d ON d.id = run.dag_id
WHERE t.run_id = ANY (%(runs)s::uuid[])
GROUP BY run.id, t.id, d.dag_id
""",
)

# A line from a state to itself is a note (a dead letter was dropped): nothing has been left.
_FINAL_IS_FINAL = query(
    "final_is_final",
    f"""
WITH moves AS ({_TASK_MOVES})
SELECT {TASK}, 'final_state_left' AS code,
  format('it went from %%s to %%s at %%s, with epoch %%s after %%s (%%s)',
    h.from_state, h.to_state, {_MOMENT}, h.epoch, coalesce(h.epoch_before, 0), h.reason
  ) AS problem,
  false AS is_warning
FROM moves h {_OF_TASK}
WHERE h.from_state = ANY (%(final)s::text[]) AND h.to_state <> h.from_state
  AND (h.to_state <> 'waiting' OR h.epoch <= coalesce(h.epoch_before, 0))
""",
)

# A task run is written as `waiting`, with epoch 0, and its first row says where it went from there.
# While it waits a clear of what it hangs on may raise its epoch, which is no move.
_TASK_CHAIN = query(
    "task_chain",
    f"""
WITH moves AS ({_TASK_MOVES})
SELECT {TASK}, 'history_broken' AS code,
  format('history has it move from %%s to %%s at %%s, when it was %%s',
    h.from_state, h.to_state, {_MOMENT}, coalesce(h.state_before, 'waiting')) AS problem,
  false AS is_warning
FROM moves h {_OF_TASK}
WHERE h.from_state <> coalesce(h.state_before, 'waiting')
UNION ALL
SELECT {TASK}, 'history_behind' AS code,
  format('it is %%s at epoch %%s, but history ends with %%s at epoch %%s',
    t.state, t.epoch, coalesce(h.to_state, 'waiting'), coalesce(h.epoch, 0)) AS problem,
  false AS is_warning
FROM skytrail_task_run t
LEFT JOIN moves h ON h.task_run_id = t.id AND h.is_last
JOIN skytrail_dag_run run ON run.id = t.run_id
JOIN skytrail_dag d ON d.id = run.dag_id
WHERE t.run_id = ANY (%(runs)s::uuid[])
  AND (
    t.state <> coalesce(h.to_state, 'waiting')
    OR (t.epoch <> coalesce(h.epoch, 0) AND t.state <> 'waiting')
    OR t.epoch < coalesce(h.epoch, 0)
  )
""",
)

_RUN_CHAIN = query(
    "run_chain",
    f"""
WITH moves AS (
  SELECT h.run_id, h.from_state, h.to_state, h.at, lag(h.to_state) OVER w AS state_before,
    lead(h.id) OVER w IS NULL AS is_last
  FROM skytrail_transition h
  WHERE h.run_id = ANY (%(runs)s::uuid[]) AND h.task_run_id IS NULL
  WINDOW w AS (PARTITION BY h.run_id ORDER BY h.at, h.id)
)
SELECT {RUN}, 'history_broken' AS code,
  format('history has the run move from %%s to %%s at %%s, when it was %%s',
    coalesce(nullif(h.from_state, ''), 'nothing'), h.to_state, {_MOMENT},
    coalesce(h.state_before, 'not there')) AS problem,
  false AS is_warning
FROM moves h
JOIN skytrail_dag_run run ON run.id = h.run_id
JOIN skytrail_dag d ON d.id = run.dag_id
WHERE h.from_state <> coalesce(h.state_before, '')
UNION ALL
SELECT {RUN}, 'history_behind' AS code,
  format('the run is %%s, but history ends with %%s',
    run.state, coalesce(h.to_state, 'nothing')) AS problem,
  false AS is_warning
FROM skytrail_dag_run run
LEFT JOIN moves h ON h.run_id = run.id AND h.is_last
JOIN skytrail_dag d ON d.id = run.dag_id
WHERE run.id = ANY (%(runs)s::uuid[]) AND run.state <> coalesce(h.to_state, '')
""",
)


def epochs_never_fall(shared: Mapping[str, Any]) -> list[Breach]:
    """I2."""
    return breaches(I2, _EPOCHS.all(**shared))


def final_is_final(shared: Mapping[str, Any]) -> list[Breach]:
    """I3."""
    return breaches(I3, _FINAL_IS_FINAL.all(**shared))


def unbroken(shared: Mapping[str, Any]) -> list[Breach]:
    """I10."""
    return breaches(I10, [*_RUN_CHAIN.all(**shared), *_TASK_CHAIN.all(**shared)])
