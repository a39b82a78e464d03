"""Whether the database still refuses what must never happen: constraints, indexes and triggers.

A guard that is gone breaks nothing by itself, but nobody can rely any longer on what it guarded:
it counts as a breach of the invariant that it is there for.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from runs_app.domain.states import ALLOWED, RUN_ALLOWED, RunState, TaskState
from runs_app.selectors.invariants.terms import I1, I3, I4, I6, I9, I10, Breach, Found, Invariant
from skytrail.database.statement import Statement

#: What guards what: the kind of thing, its table and its name.
_GUARDS: Final[Mapping[tuple[str, str, str], Invariant]] = {
    ("unique index", "skytrail_attempt", "one_attempt_per_epoch"): I1,
    ("unique index", "skytrail_task_run", "one_task_run_per_place"): I1,
    ("trigger", "skytrail_task_run", "guard"): I3,
    ("trigger", "skytrail_dag_run", "guard"): I3,
    ("constraint", "skytrail_task_run", "task_run_leased_iff_running"): I4,
    ("constraint", "skytrail_task_run", "task_run_finished_iff_final"): I6,
    ("constraint", "skytrail_dag_run", "run_finished_iff_final"): I6,
    ("unique index", "skytrail_dag_run", "one_run_per_logical_date"): I9,
    ("unique index", "skytrail_dag_run", "one_run_per_run_id"): I9,
    ("unique index", "skytrail_dag_run", "one_run_per_idempotency_key"): I9,
    ("trigger", "skytrail_transition", "only_added_to"): I10,
}


@dataclass(frozen=True, slots=True)
class _Guard:
    kind: str
    relation: str
    name: str
    #: What keeps it from guarding; empty for nothing.
    weakness: str


_THERE = Statement(
    "fsck_guards",
    """
WITH tables AS (
  SELECT c.oid, c.relname::text AS name FROM pg_class c
  WHERE c.oid = ANY (ARRAY[
    'skytrail_attempt', 'skytrail_task_run', 'skytrail_dag_run', 'skytrail_transition'
  ]::regclass[])
)
SELECT 'constraint' AS kind, tables.name AS relation, k.conname::text AS name,
  CASE WHEN k.convalidated THEN '' ELSE 'not validated' END AS weakness
FROM tables JOIN pg_constraint k ON k.conrelid = tables.oid AND k.contype = 'c'
UNION ALL
SELECT 'unique index', tables.name, x.relname::text,
  CASE WHEN NOT i.indisunique THEN 'not unique'
    WHEN NOT (i.indisvalid AND i.indisready AND i.indislive) THEN 'not valid' ELSE '' END
FROM tables JOIN pg_index i ON i.indrelid = tables.oid JOIN pg_class x ON x.oid = i.indexrelid
UNION ALL
SELECT 'trigger', tables.name, g.tgname::text,
  CASE WHEN g.tgenabled IN ('O', 'A') THEN '' ELSE 'disabled' END
FROM tables JOIN pg_trigger g ON g.tgrelid = tables.oid AND NOT g.tgisinternal
""",
    _Guard,
)


@dataclass(frozen=True, slots=True)
class _Pair:
    from_state: str
    to_state: str


def _allowed_by(function: str) -> Statement[_Pair]:
    return Statement(
        f"fsck_{function}",
        f"""
SELECT a AS from_state, b AS to_state
FROM unnest(%(from)s::text[], %(to)s::text[]) AS pair (a, b) WHERE {function}(a, b)
""",
        _Pair,
    )


_TASK_MOVES = _allowed_by("skytrail_task_may_move")
_RUN_MOVES = _allowed_by("skytrail_run_may_move")


def standing() -> list[Breach]:
    """The guards that are not there, or do not guard."""
    return [*_weak(), *_other_moves()]


def _weak() -> Iterator[Breach]:
    there = {(guard.kind, guard.relation, guard.name): guard.weakness for guard in _THERE.all()}
    for guard, invariant in _GUARDS.items():
        weakness = there.get(guard, "missing")
        if weakness:
            kind, relation, name = guard
            code = f"{kind.replace(' ', '_')}_{weakness.replace(' ', '_')}"
            yield _breach(invariant, code, f"the {kind} {name} of {relation} is {weakness}")


def _other_moves() -> Iterator[Breach]:
    """Where the triggers know other moves than the code."""
    yield from _difference("a task run", _TASK_MOVES, ALLOWED, TaskState)
    yield from _difference("a run", _RUN_MOVES, RUN_ALLOWED, RunState)


def _difference(
    what: str,
    moves: Statement[_Pair],
    allowed: Mapping[TaskState, frozenset[TaskState]] | Mapping[RunState, frozenset[RunState]],
    states: type[StrEnum],
) -> Iterator[Breach]:
    pairs = list(itertools.product(states, states))
    there = {
        (pair.from_state, pair.to_state)
        for pair in moves.all(**{"from": [a for a, _ in pairs], "to": [b for _, b in pairs]})
    }
    known = {(str(before), str(after)) for before, those in allowed.items() for after in those}
    for before, after in sorted(there - known):
        text = f"the trigger lets {what} move from {before} to {after}, which nothing may do"
        yield _breach(I3, "move_not_refused", text)
    for before, after in sorted(known - there):
        text = f"the trigger refuses that {what} moves from {before} to {after}, as it may"
        yield _breach(I3, "move_refused", text)


def _breach(invariant: Invariant, code: str, problem: str) -> Breach:
    return Breach(invariant, Found(None, None, "", "", "", code, problem, is_warning=False))
