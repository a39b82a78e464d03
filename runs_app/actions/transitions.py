"""The one hand that moves the state of runs and task runs.

A move is a guarded statement: it takes the rows that fulfil its guard, locks them, writes their new
state and one line of history each, and answers with what it moved. Nothing moved is an answer, not
an error. Who needs a move composes it here; a house test sees to it that nobody writes state
elsewhere, and a trigger in the database refuses a move that `domain/states.py` does not know.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from runs_app.domain.states import FINAL, LEASED, RUN_FINAL
from skytrail.database.statement import Statement

Row = TypeVar("Row")


def sql_list(states: Iterable[str]) -> str:
    """States as SQL literals: `('failed', 'success')`."""
    return "(" + ", ".join(f"'{state}'" for state in sorted(states)) + ")"


@dataclass(frozen=True, kw_only=True)
class Move:
    """The parts of a statement that moves rows; SQL throughout, with `%(name)s` parameters.

    In all parts `t` is the row as it is (for runs too), and in `sets`, `also` and `returning` the
    state before the move is `from_state`.
    """

    #: Which rows: a condition on `t` and on what `joins` brings in.
    guard: str
    #: The new state: a literal or an expression over `t`.
    to: str
    #: Why, for the history: a literal or a parameter.
    reason: str
    #: Who: a literal or a parameter.
    actor: str = "%(actor)s"
    #: Other columns that change: `a = 1, b = 2`.
    sets: str = ""
    #: Until when the row is leased, where the new state is one that has a lease.
    lease: str = "t.lease_expires_at"
    joins: str = ""
    #: How the rows are taken. Sweepers skip what others hold and take the oldest first.
    order: str = "t.id"
    limit: str = ""
    skip_locked: bool = False
    #: Further CTEs that write beside the move, reading `moved`.
    also: tuple[str, ...] = ()
    #: What the statement answers with: columns of `moved`, here `m`.
    returning: str = "m.id"
    returning_joins: str = ""


def task_move(name: str, move: Move, row: type[Row]) -> Statement[Row]:
    """The statement that makes `move` with task runs."""
    # What holds in a state whoever moves there: constraints in the database say the same.
    invariants = f"""
        finished_at = CASE WHEN before.to_state IN {sql_list(FINAL)} THEN clock_timestamp() END,
        lease_expires_at = CASE WHEN before.to_state IN {sql_list(LEASED)} THEN {move.lease} END"""
    return Statement(
        name,
        _compose(
            move,
            table="skytrail_task_run",
            invariants=invariants,
            history="m.run_id, m.id, m.from_state, m.state, m.epoch",
        ),
        row,
    )


def run_move(name: str, move: Move, row: type[Row]) -> Statement[Row]:
    """The statement that makes `move` with DAG runs."""
    final = sql_list(RUN_FINAL)
    return Statement(
        name,
        _compose(
            move,
            table="skytrail_dag_run",
            invariants=f"""
        finished_at = CASE WHEN before.to_state IN {final} THEN clock_timestamp() END,
        started_at = CASE
          WHEN before.to_state = 'queued' THEN NULL
          WHEN before.to_state = 'running' THEN clock_timestamp()
          ELSE t.started_at END,
        times_out_at = CASE
          WHEN before.to_state = 'queued' THEN NULL
          WHEN before.to_state = 'running' THEN clock_timestamp() + interval '1 second' * (
            SELECT dag.run_timeout_seconds FROM skytrail_dag dag WHERE dag.id = t.dag_id
          )
          ELSE t.times_out_at END""",
            history="m.id, NULL::uuid, m.from_state, m.state, 0",
        ),
        row,
    )


def _compose(move: Move, *, table: str, invariants: str, history: str) -> str:
    also = "".join(f",\n{cte}" for cte in move.also)
    return f"""
WITH before AS MATERIALIZED (
  SELECT t.id, t.state AS from_state, {move.to} AS to_state
  FROM {table} t {move.joins}
  WHERE {move.guard}
  ORDER BY {move.order} {move.limit}
  FOR NO KEY UPDATE OF t {"SKIP LOCKED" if move.skip_locked else ""}
), moved AS (
  UPDATE {table} t SET state = before.to_state, {move.sets + "," if move.sets else ""}
        {invariants}
  FROM before
  WHERE t.id = before.id
  RETURNING t.*, before.from_state
), history AS (
  INSERT INTO skytrail_transition
    (run_id, task_run_id, from_state, to_state, epoch, reason, actor, at)
  SELECT {history}, {move.reason}, {move.actor}, clock_timestamp() FROM moved m
  WHERE m.from_state <> m.state
){also}
SELECT {move.returning} FROM moved m {move.returning_joins}
"""
