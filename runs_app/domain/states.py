"""The states of task runs and DAG runs, and the moves between them: the only vocabulary.

Choices in the models, the guard in the database, the admin, the API's schema and the diagram in the
docs are made from here. `runs_app/actions/transitions.py` is the one hand that makes the moves.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping


class TaskState(enum.StrEnum):
    """Where a task run stands."""

    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    UP_FOR_RETRY = "up_for_retry"
    UP_FOR_RESCHEDULE = "up_for_reschedule"
    DEFERRED = "deferred"
    CANCELLING = "cancelling"
    RESTARTING = "restarting"
    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"
    UPSTREAM_FAILED = "upstream_failed"
    CANCELLED = "cancelled"
    REMOVED = "removed"

    @property
    def is_final(self) -> bool:
        return self in FINAL

    @property
    def is_active(self) -> bool:
        return self in ACTIVE


class RunState(enum.StrEnum):
    """Where a DAG run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self in RUN_FINAL


T, R = TaskState, RunState

#: Nothing moves a task run out of these but an explicit clear or rerun, with a new epoch.
FINAL = frozenset({T.SUCCESS, T.FAILED, T.SKIPPED, T.UPSTREAM_FAILED, T.CANCELLED, T.REMOVED})
#: A worker executes it, or may still do so: its lease runs.
LEASED = frozenset({T.RUNNING, T.CANCELLING, T.RESTARTING})
#: It takes up slots of its pool and of its DAG.
ACTIVE = LEASED | {T.QUEUED}
#: A row with `wake_at`, taken up again by the clock.
SLEEPING = frozenset({T.UP_FOR_RETRY, T.UP_FOR_RESCHEDULE, T.DEFERRED})
#: The same try goes on when it is taken up again: it waits for something.
POKING = frozenset({T.UP_FOR_RESCHEDULE, T.DEFERRED})

RUN_FINAL = frozenset({R.SUCCESS, R.FAILED, R.CANCELLED})
#: It counts against its DAG's `max_active_runs`.
RUN_ACTIVE = frozenset({R.RUNNING, R.CANCELLING})

#: It has not ended.
RUN_UNFINISHED = frozenset(RunState) - RUN_FINAL

_CLEARED = {T.WAITING}

#: From each state of a task run, the states it may move to.
ALLOWED: Mapping[TaskState, frozenset[TaskState]] = {
    T.WAITING: frozenset(
        {
            T.QUEUED,
            T.RUNNING,
            T.SKIPPED,
            T.UPSTREAM_FAILED,
            T.CANCELLED,
            T.REMOVED,
            T.FAILED,  # it waited for what cannot come
        }
    ),
    T.QUEUED: frozenset(
        {
            T.RUNNING,
            T.CANCELLED,
            T.FAILED,  # it was queued for too long
            T.UP_FOR_RETRY,  # the same, with retries left
        }
        | _CLEARED
    ),
    T.RUNNING: frozenset(
        {
            T.SUCCESS,
            T.FAILED,
            T.SKIPPED,
            T.UP_FOR_RETRY,
            T.UP_FOR_RESCHEDULE,
            T.DEFERRED,
            T.CANCELLING,
            T.RESTARTING,
            T.QUEUED,  # its worker was lost: another execution takes over
        }
    ),
    T.UP_FOR_RETRY: frozenset({T.QUEUED, T.CANCELLED} | _CLEARED),
    T.UP_FOR_RESCHEDULE: frozenset({T.QUEUED, T.CANCELLED} | _CLEARED),
    T.DEFERRED: frozenset({T.QUEUED, T.FAILED, T.SKIPPED, T.CANCELLED} | _CLEARED),
    T.CANCELLING: frozenset({T.CANCELLED, T.SUCCESS, T.RESTARTING}),
    T.RESTARTING: frozenset({T.CANCELLING} | _CLEARED),
    **{state: frozenset(_CLEARED) for state in FINAL},
}

#: From each state of a run, the states it may move to.
RUN_ALLOWED: Mapping[RunState, frozenset[RunState]] = {
    R.QUEUED: frozenset({R.RUNNING, R.CANCELLED}),
    R.RUNNING: frozenset({R.SUCCESS, R.FAILED, R.CANCELLING, R.CANCELLED}),
    R.CANCELLING: frozenset({R.CANCELLED, R.FAILED}),  # failed: its time was up
    **{state: frozenset({R.QUEUED, R.RUNNING}) for state in RUN_FINAL},
}
