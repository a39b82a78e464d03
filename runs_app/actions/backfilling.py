"""Backfills: making up for a stretch of a schedule, a few runs at a time.

A date gets a run only when there is room for it, within the backfill's own limit and the DAG's, so
that a year of minutes is not half a million rows at once, and what the schedule asks for meanwhile
does not stand in line behind it. The dates are those of the schedule, by the same function.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from dags_app.domain import params
from dags_app.domain.problems import suggestion
from dags_app.domain.timing.definition import read, timetable
from dags_app.domain.timing.schedule import (
    ContinuousSchedule,
    Schedule,
    between,
    between_backwards,
    previous_before,
)
from dags_app.domain.timing.zones import check_timezone
from dags_app.models import Dag
from runs_app.actions.cancellation import RunHasEnded, RunIsBeingCancelled, cancel_run
from runs_app.actions.launching import RunRequest, check_pools, insert, run_id_for
from runs_app.actions.rerunning import clear_held, hold
from runs_app.domain.backfills import UNFINISHED, BackfillState, Reprocess, Treatment, treat
from runs_app.domain.clearing import Selection, scopes
from runs_app.domain.states import RUN_UNFINISHED, RunState
from runs_app.models import Backfill, BackfillRun, DagRun, RunType
from runs_app.selectors.backfills import runs_at, unfinished_runs
from runs_app.selectors.graphs import graph_of
from skytrail.database.clock import database_now
from skytrail.errors import Conflict, Invalid, Problem

_SMALLEST = timedelta(microseconds=1)

#: So many dates are counted, and listed by a dry run.
MAX_COUNTED = 10_000

#: Dates looked at, and runs created, for one backfill in one tick.
LOOKED_AT = 500
CREATED = 20


class BadBackfill(Invalid):
    """The backfill cannot be made as asked."""


class BackfillUnderWay(Conflict):
    """The DAG {dag_id} has a backfill under way already. Wait until it is over, or cancel it."""


class BackfillHasEnded(Conflict):
    """The backfill is {state}: nothing of it is left to be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillRequest:
    """What is asked for. Dates without an offset are read in the DAG's time zone; both count."""

    from_date: datetime
    to_date: datetime
    reprocess_behavior: Reprocess = Reprocess.NONE
    max_active_runs: int = 10
    run_backwards: bool = False
    task_ids: Sequence[str] | None = None
    conf: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """A date of a backfill that is to be, and what would become of it now."""

    logical_date: datetime
    data_interval_start: datetime
    treatment: Treatment


@dataclass(frozen=True, slots=True)
class Plan:
    """The dates in the order in which they would be seen to, and whether there are more."""

    dates: tuple[Planned, ...]
    is_more: bool


def plan(dag: Dag, request: BackfillRequest) -> Plan:
    """What `create` would do. Raises `BadBackfill` and `params.BadConf` as it does."""
    draft = _draft(dag, request)
    dates = _dates(draft, MAX_COUNTED + 1)
    counted = dates[:MAX_COUNTED]
    there = runs_at(dag, counted)
    planned = tuple(
        Planned(date, _interval_start(draft.timetable, date), _treatment(draft, there.get(date)))
        for date in counted
    )
    return Plan(planned, len(dates) > MAX_COUNTED)


def create(dag: Dag, request: BackfillRequest, *, actor: str) -> Backfill:
    """A backfill, which begins with the next tick.

    Raises `BadBackfill` and `params.BadConf` for what was asked, `BackfillUnderWay`.
    """
    draft = _draft(dag, request)
    draft.created_by = actor
    count = len(_dates(draft, MAX_COUNTED + 1))
    draft.dates = count if count <= MAX_COUNTED else None
    try:
        with transaction.atomic():
            draft.save()
    except IntegrityError:
        raise BackfillUnderWay(dag_id=repr(dag.dag_id)) from None
    draft.refresh_from_db()
    return draft


def pause(backfill: Backfill) -> Backfill:
    """No further run of it is created; those under way go on. Raises `BackfillHasEnded`."""
    return _move(backfill, BackfillState.PAUSED)


def resume(backfill: Backfill) -> Backfill:
    """It goes on where it was paused. Raises `BackfillHasEnded`."""
    return _move(backfill, BackfillState.RUNNING)


def cancel(backfill: Backfill, *, actor: str) -> Backfill:
    """No further run of it is created, and those under way are cancelled.

    Raises `BackfillHasEnded`.
    """
    held = _move(backfill, BackfillState.CANCELLED)
    for run in _unfinished_runs_of(held).exclude(state=RunState.CANCELLING):
        try:
            cancel_run(run, actor=actor)
        except (RunHasEnded, RunIsBeingCancelled):
            continue  # just now, by somebody else
    return held


def advance() -> int:
    """Sees to the next dates of every backfill that goes on; how many runs that has begun."""
    going_on = Backfill.objects.filter(state=BackfillState.RUNNING).order_by("created_at")
    return sum(_advance(key) for key in going_on.values_list("pk", flat=True))


# ---------------------------------------------------------------- what is asked for


def _draft(dag: Dag, request: BackfillRequest) -> Backfill:
    """The backfill as it would be saved."""
    anchor = dag.start_date or dag.schedule_since or dag.created_at
    schedule = timetable(read(dag.schedule), timezone=dag.timezone, anchor=anchor)
    if schedule is None or isinstance(schedule, ContinuousSchedule):
        why = "the DAG's schedule names no dates: a backfill needs cron, an interval or events"
        raise BadBackfill(problems=[Problem("dag_id", "no_dates", why)])
    check_pools(dag)
    if request.run_backwards and any(node.awaits_past for node in graph_of(dag.version_id).nodes):
        why = "tasks of this DAG wait for the run before, so the oldest date has to come first"
        raise BadBackfill(problems=[Problem("run_backwards", "depends_on_past", why)])
    zone = check_timezone(dag.timezone)
    start, end = _in_zone(request.from_date, zone), _in_zone(request.to_date, zone)
    draft = Backfill(
        dag=dag,
        from_date=start if dag.start_date is None else max(start, dag.start_date),
        to_date=end if dag.end_date is None else min(end, dag.end_date),
        schedule=dag.schedule,
        timezone=dag.timezone,
        anchor=anchor,
        reprocess_behavior=request.reprocess_behavior.value,
        max_active_runs=request.max_active_runs,
        run_backwards=request.run_backwards,
        task_ids=_known_tasks(dag, request.task_ids),
        conf=params.resolve(dag.params, request.conf or {}),
    )
    if problem := _wrong_dates(draft, start, end):
        raise BadBackfill(problems=[problem])
    return draft


def _wrong_dates(draft: Backfill, start: datetime, end: datetime) -> Problem | None:
    if end < start:
        return Problem("to_date", "ends_before_start", "to_date lies before from_date; swap them")
    if end > database_now():
        message = "to_date lies in the future, which is for the schedule to see to; use a past one"
        return Problem("to_date", "in_future", message)
    if not _dates(draft, 1):
        message = "the schedule names no date between from_date and to_date; choose other dates"
        return Problem("from_date", "no_dates", message)
    return None


def _known_tasks(dag: Dag, task_ids: Sequence[str] | None) -> list[str] | None:
    if task_ids is None:
        return None
    known = graph_of(dag.version_id).position_of
    unknown = [
        Problem(
            f"task_ids[{place}]",
            "unknown_task",
            f"the DAG has no task {name!r}{suggestion(name, known)}",
        )
        for place, name in enumerate(task_ids)
        if name not in known
    ]
    if not task_ids:
        unknown = [Problem("task_ids", "too_short", "name a task, or leave it out for all")]
    if unknown:
        raise BadBackfill(problems=unknown)
    return sorted(set(task_ids))


def _in_zone(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


# ---------------------------------------------------------------- its dates


def _dates(backfill: Backfill, limit: int) -> list[datetime]:
    """The next dates to be seen to, in their order."""
    since, until, reached = backfill.from_date, backfill.to_date, backfill.reached
    if backfill.run_backwards:
        before = until + _SMALLEST if reached is None else reached
        return between_backwards(backfill.timetable, since, before, limit)
    after = since - _SMALLEST if reached is None else reached
    return between(backfill.timetable, after, until, limit)


def _interval_start(schedule: Schedule, date: datetime) -> datetime:
    return previous_before(schedule, date) or date


def _treatment(backfill: Backfill, there: DagRun | None) -> Treatment:
    state = None if there is None else RunState(there.state)
    return treat(Reprocess(backfill.reprocess_behavior), state)


# ---------------------------------------------------------------- going on


@transaction.atomic
def _advance(key: UUID) -> int:
    # The DAG first, as everybody who creates or clears a run does.
    dag = (
        Dag.objects.filter(backfills=key)
        .select_for_update(no_key=True, skip_locked=True, of=("self",))
        .first()
    )
    if dag is None:
        return 0
    backfill = (
        Backfill.objects.filter(pk=key, state=BackfillState.RUNNING)
        .select_for_update(no_key=True)
        .first()
    )
    if backfill is None:
        return 0
    if dag.deleted_at is not None:
        _end(backfill, BackfillState.CANCELLED)
        return 0
    begun = 0
    if not backfill.is_through:
        begun = _see_to_dates(backfill, dag)
        backfill.save(update_fields=["reached", "is_through"])
    if backfill.is_through and not _unfinished_runs_of(backfill).exists():
        _end(backfill, BackfillState.COMPLETED)
    return begun


def _see_to_dates(backfill: Backfill, dag: Dag) -> int:
    """Dates one after the other, until there is no more room for a run."""
    own = _unfinished_runs_of(backfill).count()
    room = min(CREATED, backfill.max_active_runs - own, dag.runs_at_once - unfinished_runs(dag))
    dates = _dates(backfill, LOOKED_AT)
    there = runs_at(dag, dates)
    entries: list[BackfillRun] = []
    new: list[datetime] = []
    for date in dates:
        run = there.get(date)
        treatment = _treatment(backfill, run)
        if treatment is not Treatment.PASSED_OVER:
            if room <= 0:
                break
            room -= 1
        if treatment is Treatment.RERUN:
            assert run is not None
            treatment = _run_again(backfill, run)
        if treatment is Treatment.CREATED:
            new.append(date)
        entries.append(
            BackfillRun(backfill=backfill, logical_date=date, run=run, treatment=treatment)
        )
        backfill.reached = date
    else:
        backfill.is_through = len(dates) < LOOKED_AT
    _create(backfill, dag, new)
    made = runs_at(dag, new)
    for entry in entries:
        if entry.treatment == Treatment.CREATED:
            entry.run = made.get(entry.logical_date)
            if entry.run is None:  # another run has the name that it would have
                entry.treatment = Treatment.PASSED_OVER
    BackfillRun.objects.bulk_create(entries, batch_size=LOOKED_AT)
    return sum(entry.treatment != Treatment.PASSED_OVER for entry in entries)


def _create(backfill: Backfill, dag: Dag, dates: Sequence[datetime]) -> None:
    if not dates:
        return
    requests = [
        RunRequest(
            run_type=RunType.BACKFILL,
            run_id=run_id_for(RunType.BACKFILL, date),
            logical_date=date,
            data_interval_start=_interval_start(backfill.timetable, date),
            data_interval_end=date,
            conf=backfill.conf,
        )
        for date in dates
    ]
    insert(
        [(dag, request) for request in requests],
        actor=backfill.created_by,
        only=_with_setups(dag, backfill.task_ids),
    )


def _with_setups(dag: Dag, chosen: Sequence[str] | None) -> list[str] | None:
    """The chosen tasks, the setup tasks that they need, and their teardowns; None for all."""
    if chosen is None:
        return None
    graph = graph_of(dag.version_id)
    positions = {graph.position_of[name] for name in chosen if name in graph.position_of}
    positions |= scopes(graph, positions)
    return [graph.nodes[position].task_id for position in sorted(positions)]


def _run_again(backfill: Backfill, run: DagRun) -> Treatment:
    """Clears a run that has ended: all of it, or those of the chosen tasks that it has."""
    wanted = backfill.task_ids
    if wanted is not None:
        known = graph_of(run.version_id).position_of
        wanted = [name for name in wanted if name in known]
        if not wanted:
            return Treatment.PASSED_OVER
    clear_held(
        hold(run),
        Selection(task_ids=wanted, downstream=False),
        actor=backfill.created_by,
        reason="cleared by a backfill",
        dry_run=False,
    )
    return Treatment.RERUN


def _unfinished_runs_of(backfill: Backfill) -> QuerySet[DagRun]:
    """Those of the runs that it has created, or has run again, which have not ended."""
    entries = BackfillRun.objects.filter(
        backfill=backfill, treatment__in=[Treatment.CREATED, Treatment.RERUN]
    )
    # Its DAG is named for the index of unfinished runs: there are few, and entries may be many.
    return DagRun.objects.filter(
        dag=backfill.dag_id, state__in=sorted(RUN_UNFINISHED), pk__in=entries.values("run")
    )


@transaction.atomic
def _move(backfill: Backfill, to: BackfillState) -> Backfill:
    held = Backfill.objects.select_for_update(no_key=True).get(pk=backfill.pk)
    if held.state not in UNFINISHED:
        raise BackfillHasEnded(state=held.state)
    if to in UNFINISHED:
        held.state = to.value
        held.save(update_fields=["state"])
        return held
    return _end(held, to)


def _end(backfill: Backfill, state: BackfillState) -> Backfill:
    backfill.state = state.value
    backfill.finished_at = Now()
    backfill.save(update_fields=["state", "finished_at"])
    backfill.refresh_from_db()
    return backfill
