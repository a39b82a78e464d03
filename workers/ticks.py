"""The periodic jobs. All are idempotent and may run twice at once: beat may be down or doubled."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from celery import shared_task
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection

from dags_app.actions import realigning
from runs_app.actions import (
    artifacts,
    backfilling,
    recovery,
    retention,
    scheduling,
    state,
    ticks,
    timing_out,
    waking,
)
from runs_app.selectors.artifacts import artifact_store
from skytrail.database.trouble import in_a_line, trouble_of
from skytrail.security import tokens
from workers import names
from workers.broker import witness
from workers.broker.line import BrokerAway, line

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """A periodic job; `every` is in seconds."""

    name: str
    task: str
    every: int
    description: str


SCHEDULE = Job("schedule", "skytrail.tick.schedule", 1, "Creates the runs that are due.")
BACKFILL = Job(
    "backfill", "skytrail.tick.backfill", 1, "Creates the next runs of backfills, as there is room."
)
WAKE = Job("wake", "skytrail.tick.wake", 1, "Takes up retries and waits whose time has come.")
RECOVER = Job(
    "recover",
    "skytrail.tick.recover",
    5,
    "Finds what Redis or a worker has lost, and sends it again.",
)
TIME_OUT = Job(
    "time_out",
    "skytrail.tick.time_out",
    1,
    "Stops runs and gives up queued tasks whose time is up.",
)
REALIGN = Job(
    "realign",
    "skytrail.tick.realign",
    3600,
    "Finds next ticks that have moved: new rules of time zones, new holidays.",
)
FORGET = Job("forget", "skytrail.tick.forget", 60, "Deletes state whose time is up.")
CLEAR_OUT = Job(
    "clear_out",
    "skytrail.tick.clear_out",
    600,
    "Deletes artifacts whose time is up, or whose run is deleted.",
)
PRUNE = Job("prune", "skytrail.tick.prune", 86_400, "Deletes what is older than it is to be kept.")

JOBS = (SCHEDULE, BACKFILL, WAKE, RECOVER, TIME_OUT, REALIGN, FORGET, CLEAR_OUT, PRUNE)

#: A job that has not run for so many of its intervals (and at least 10 s) is overdue.
OVERDUE_AFTER = {job.name: float(max(10, 3 * job.every)) for job in JOBS}


#: How often a process says that the database is away, in seconds: several jobs find it each second.
_SAY_EVERY = 30.0


class _Said:
    """When this process last said so, by its monotonic clock."""

    at = float("-inf")


def _for_this_time(work: Callable[[], str]) -> Callable[[], str]:
    """Gives a job up, until its next time, where the database is away or busy."""

    @functools.wraps(work)
    def attempt() -> str:
        try:
            return work()
        except DatabaseError as error:
            if (trouble := trouble_of(error)) is None:
                raise
            connection.close()
            if time.monotonic() > _Said.at + _SAY_EVERY:
                _Said.at = time.monotonic()
                _logger.warning(
                    "periodic jobs wait for the database (%s): %s", trouble, in_a_line(error)
                )
            return f"database: {trouble}"

    return attempt


def _in_turn(job: Job, work: Callable[[], object]) -> str:
    """Does `work` unless another beat or dispatcher has just had it done."""
    if ticks.take_turn(job.name, every=job.every) is None:
        return "just done"
    return str(work())


@shared_task(name=SCHEDULE.task)
@_for_this_time
def schedule() -> str:
    """Creates the runs that are due."""
    return _in_turn(SCHEDULE, scheduling.tick)


@shared_task(name=BACKFILL.task)
@_for_this_time
def backfill() -> str:
    """Creates the next runs of backfills."""
    return _in_turn(BACKFILL, backfilling.advance)


@shared_task(name=WAKE.task)
@_for_this_time
def wake() -> str:
    """Takes up what slept and is due."""
    return _in_turn(WAKE, waking.wake)


@shared_task(name=RECOVER.task)
@_for_this_time
def recover() -> str:
    """One sweep of recovery, which takes its turn itself: it remembers things for the next."""
    found = recovery.recover(every=RECOVER.every, announce=witness.leave)
    return "just done" if found is None else str(found)


@shared_task(name=TIME_OUT.task)
@_for_this_time
def time_out() -> str:
    """Stops what takes too long."""
    return _in_turn(TIME_OUT, timing_out.time_out)


@shared_task(name=REALIGN.task)
@_for_this_time
def realign() -> str:
    """Finds next ticks that have moved."""
    return _in_turn(REALIGN, realigning.realign)


@shared_task(name=FORGET.task)
@_for_this_time
def forget() -> str:
    """Deletes state whose time is up."""
    return _in_turn(FORGET, state.sweep)


@shared_task(name=CLEAR_OUT.task)
@_for_this_time
def clear_out() -> str:
    """Deletes artifacts whose time is up."""
    return _in_turn(CLEAR_OUT, lambda: artifacts.sweep(artifact_store()))


@shared_task(name=PRUNE.task)
@_for_this_time
def prune() -> str:
    """Deletes expired tokens, and runs older than SKYTRAIL_KEEP_RUNS_DAYS."""
    tokens.prune()
    keep = settings.SKYTRAIL_KEEP_RUNS
    return _in_turn(PRUNE, lambda: retention.prune(keep=keep) if keep else 0)


BY_NAME = {
    "schedule": schedule,
    "backfill": backfill,
    "wake": wake,
    "recover": recover,
    "time_out": time_out,
    "realign": realign,
    "forget": forget,
    "clear_out": clear_out,
    "prune": prune,
}


def send(name: str) -> None:
    """Has a job run by the dispatcher; a message that finds none within its time is dropped.

    So is one that cannot be sent: the job stays overdue, and is sent when that is noticed again.
    """
    job = next(job for job in JOBS if job.name == name)
    send = partial(
        BY_NAME[name].apply_async,
        queue=names.DISPATCH_QUEUE,
        priority=5,
        expires=max(5, job.every),
    )
    with suppress(BrokerAway):
        line.over(send)
