"""Mending what `skytrail fsck` has found, where mending cannot make it worse.

What stands still is set going by the same actions that should have done it, so each move is guarded
and written down in history as always. What has gone wrong in the past is left alone: a person has
to know of it, and to decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.conf import settings

from runs_app.actions import admission, promotion, waking
from runs_app.actions.dispatching_steps import dispatch
from runs_app.actions.recovery import Announce, nobody_to_tell, recover
from runs_app.selectors.invariants.terms import Breach
from skytrail.database.statement import Nothing, Statement

#: Where a lease is missing, whoever executes the task renews this one; if nobody does, recovery
#: takes over when it ends. The state stays as it is.
_GIVE_A_LEASE = Statement(
    "give_a_lease",
    """
UPDATE skytrail_task_run
SET lease_expires_at = clock_timestamp() + %(lease)s * interval '1 second'
WHERE id = ANY (%(ids)s::uuid[]) AND lease_expires_at IS NULL
  AND state IN ('running', 'cancelling', 'restarting')
""",
    Nothing,
)

_LOOK_AT_HISTORY: Final = (
    "it is in the past: find out who wrote to the database past Skytrail, and judge what the task "
    "has done; clearing it makes it run again"
)
_OTHERS_FIRST: Final = "first decide what else is broken in its run; then look again"
_PUT_BACK: Final = "put it back, with the migrations of the app; then look again with --all"

#: Why the rest is for a person. By code; what is not named here is mended below.
_FOR_A_PERSON: Final[Mapping[str, str]] = {
    "not_claimed_once": _LOOK_AT_HISTORY,
    "execution_without_end": "how that execution ended is not known; its log may say",
    "execution_missing": "stop the task (`skytrail runs cancel`) or wait until its lease ends",
    "epoch_fell": _LOOK_AT_HISTORY,
    "final_state_left": _LOOK_AT_HISTORY,
    "started_too_early": _LOOK_AT_HISTORY,
    "started_though_passed_over": _LOOK_AT_HISTORY,
    "history_broken": "history is never rewritten; it shows that something was written past it",
    "history_behind": "history is never rewritten; it shows that something was written past it",
    "lease_left_over": "drop the lease by hand: nothing runs, and the constraint refuses it",
    "task_outlives_run": "clear the task, which opens the run again (`skytrail runs clear`)",
    "tasks_missing": "tasks cannot be put back; start another run of the DAG",
    "end_not_noted": "note the end by hand: only you can know when it was",
    "no_such_pool": "make the pool, or cancel the run",
    "pool_overdrawn": "it mends itself as tasks end; nothing that runs is stopped for it",
    "pool_lowered": "it mends itself as tasks end; nothing that runs is stopped for it",
    "dag_overdrawn": "it mends itself as tasks end; nothing that runs is stopped for it",
    "dag_lowered": "it mends itself as tasks end; nothing that runs is stopped for it",
    "logical_date_twice": "decide which of the runs counts, and delete the other",
    "run_id_twice": "decide which of the runs counts, and delete the other",
    "trigger_disabled": "enable it: ALTER TABLE … ENABLE TRIGGER …; then look again with --all",
    "trigger_missing": _PUT_BACK,
    "constraint_missing": _PUT_BACK,
    "constraint_not_validated": "validate it: ALTER TABLE … VALIDATE CONSTRAINT …",
    "unique_index_missing": _PUT_BACK,
    "unique_index_not_unique": _PUT_BACK,
    "unique_index_not_valid": "build it anew: REINDEX INDEX CONCURRENTLY …",
    "move_refused": "bring the tables up to date: `skytrail db migrate`",
    "move_not_refused": "bring the tables up to date: `skytrail db migrate`",
}


@dataclass(frozen=True, slots=True)
class Treated:
    """What became of a breach: what was done about it, or why a person has to decide."""

    breach: Breach
    done: str = ""
    left: str = ""


def repair(
    breaches: Sequence[Breach], *, actor: str, announce: Announce = nobody_to_tell
) -> list[Treated]:
    """Mends what can be mended safely; for each breach what was done, or why nothing was.

    `announce` is recovery's, where that is what mends. Must not be called inside a transaction:
    each mending is one of its own.
    """
    # What a plan of such a run came to would rest on rows that are not to be relied on.
    unsound = {one.found.run_pk for one in breaches if one.found.code not in _MENDING} - {None}
    by_code: dict[str, list[Breach]] = {}
    treated = []
    for breach in breaches:
        code = breach.found.code
        if _MENDING.get(code) is _dispatch and breach.found.run_pk in unsound:
            treated.append(Treated(breach, left=_OTHERS_FIRST))
        else:
            by_code.setdefault(code, []).append(breach)
    for code, those in by_code.items():
        if mend := _MENDING.get(code):
            done = mend(those, _Means(actor, announce))
            treated += [Treated(breach, done=done(breach)) for breach in those]
        else:
            left = _FOR_A_PERSON[code]
            treated += [Treated(breach, left=left) for breach in those]
    return treated


_Done = Callable[[Breach], str]


@dataclass(frozen=True, slots=True)
class _Means:
    """What mending needs: who does it, and how workers hear of it."""

    actor: str
    announce: Announce


def _dispatch(breaches: Iterable[Breach], means: _Means) -> _Done:
    outcomes = {run_pk: dispatch(run_pk, actor=means.actor) for run_pk in _runs(breaches)}
    return lambda breach: f"planned the run: {outcomes[_run(breach)]}"


def _admit(breaches: Iterable[Breach], means: _Means) -> _Done:
    count = admission.admit(actor=means.actor)
    return lambda _: f"gave out free slots: {count} task runs were let in"


def _promote(breaches: Iterable[Breach], means: _Means) -> _Done:
    count = promotion.promote_all(actor=means.actor)
    return lambda _: f"gave out free places: {count} runs were started"


def _wake(breaches: Iterable[Breach], means: _Means) -> _Done:
    count = waking.wake(actor=means.actor)
    return lambda _: f"took up what was due: {count} task runs"


def _sweep(breaches: Iterable[Breach], means: _Means) -> _Done:
    found = recover(every=0, announce=means.announce)
    if found is None:
        return lambda _: "recovery is at it"
    words = f"made a recovery sweep: {found.lost} taken over, {found.republished} sent again"
    return lambda _: words


def _give_leases(breaches: Iterable[Breach], means: _Means) -> _Done:
    ids = [breach.found.task_run_pk for breach in breaches]
    _GIVE_A_LEASE.count(ids=ids, lease=settings.SKYTRAIL_LEASE_SECONDS)
    return lambda _: "gave it a lease: its worker renews it, or recovery takes over when it ends"


def _run(breach: Breach) -> UUID:
    assert breach.found.run_pk is not None
    return breach.found.run_pk


def _runs(breaches: Iterable[Breach]) -> list[UUID]:
    return list(dict.fromkeys(_run(breach) for breach in breaches))


_MENDING: Final[Mapping[str, Callable[[Iterable[Breach], _Means], _Done]]] = {
    "run_outlives_tasks": _dispatch,
    "ready_task_waits": _dispatch,
    "task_not_settled": _dispatch,
    "slot_is_free": _admit,
    "run_may_start": _promote,
    "overslept": _wake,
    "never_sent": _sweep,
    "lease_ran_out": _sweep,
    "no_lease": _give_leases,
}
