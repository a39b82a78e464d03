"""Why a DAG has no run for a time, or has one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dags_app.domain.timing.schedule import (
    ContinuousSchedule,
    Timetable,
    next_after,
    previous_before,
)
from runs_app.domain.explaining.reasons import About, Explanation, Reason

_SMALLEST = timedelta(microseconds=1)

#: The tick of schedules comes each second; after so long without one nobody looks at them.
AWAY_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """A stretch during which the DAG was paused; `until` None: it still is."""

    since: datetime
    until: datetime | None
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleFacts:
    """What is known of a DAG's schedule around the time `at`."""

    dag_id: str
    at: datetime
    now: datetime
    timetable: Timetable | None
    waits_for: tuple[str, ...] = ()
    created_at: datetime
    schedule_since: datetime | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None
    catchup: bool = False
    catchup_window: timedelta | None = None
    is_paused: bool = False
    paused: Paused | None = None
    next_run_at: datetime | None = None
    looked_at: datetime | None = None
    #: Of the tick that `at` is, or of the one before it: its run, or why it was passed over.
    run_id: str = ""
    run_state: str = ""
    run_made_at: datetime | None = None
    skipped_because: str = ""


def tick_at(timetable: Timetable | None, at: datetime) -> datetime | None:
    """The tick at `at`, or the last one before; None where there is none."""
    if timetable is None or isinstance(timetable, ContinuousSchedule):
        return None
    return previous_before(timetable, at + _SMALLEST)


def explain_tick(facts: ScheduleFacts) -> Explanation:
    """What the schedule did at that time, or will do."""

    def told(headline: str, *reasons: Reason) -> Explanation:
        return Explanation(headline=headline, at=facts.at, reasons=reasons)

    timetable = facts.timetable
    if timetable is None:
        if facts.waits_for:
            text = f"it runs when its assets are updated: {', '.join(facts.waits_for)}"
            return told("No time starts this DAG", Reason(code="assets", text=text))
        text = "it has no schedule: it runs when somebody triggers it"
        return told("No time starts this DAG", Reason(code="no_schedule", text=text))
    if isinstance(timetable, ContinuousSchedule):
        text = "its schedule is @continuous: a run begins whenever the one before has ended"
        return told("No time starts this DAG", Reason(code="continuous", text=text))
    tick = tick_at(timetable, facts.at)
    following = next_after(timetable, facts.at)
    beside = _beside(facts.at, tick, following)
    if tick is None:
        return told("The schedule had not begun by then", *beside)
    if facts.at > facts.now:
        return _to_come(facts, tick, following)
    if facts.run_id:
        return _there(facts, tick, beside)
    if facts.skipped_because:
        text = f"the overlap policy passed it over: {facts.skipped_because}"
        return told(
            "There is no run for that time", Reason(code="overlap", text=text, since=tick), *beside
        )
    return told("There is no run for that time", *_never(facts, tick), *beside)


def _beside(at: datetime, tick: datetime | None, following: datetime | None) -> tuple[Reason, ...]:
    """Where `at` is no tick, which ticks are around it."""
    if tick == at:
        return ()
    reasons = []
    if tick is not None:
        text = "this is about the last time that its schedule names, and has named no other"
        reasons.append(Reason(code="tick_before", text=text, since=tick))
    if following is not None:
        text = "its schedule names no other time"
        reasons.append(Reason(code="tick_after", text=text, until=following))
    return tuple(reasons)


def _to_come(facts: ScheduleFacts, tick: datetime, following: datetime | None) -> Explanation:
    when = tick if tick > facts.now else following
    if when is None or (facts.end_date is not None and when > facts.end_date):
        reason = Reason(
            code="after_end", text="its end date comes first: it runs only", until=facts.end_date
        )
    elif facts.start_date is not None and when < facts.start_date:
        reason = Reason(
            code="before_start", text="its start date keeps it from running", until=facts.start_date
        )
    elif facts.is_paused:
        reason = Reason(
            code="paused", text="it is paused: nothing will start until it is resumed",
            since=facts.paused.since if facts.paused else None,
        )  # fmt: skip
    else:
        reason = Reason(code="to_come", text="the schedule waits to start a run", until=when)
    return Explanation(headline="That time has not come", at=facts.at, reasons=(reason,))


def _there(facts: ScheduleFacts, tick: datetime, beside: tuple[Reason, ...]) -> Explanation:
    about = About(kind="run", name=facts.run_id, dag_id=facts.dag_id, run_id=facts.run_id)
    late = facts.run_made_at is not None and facts.run_made_at - tick > timedelta(seconds=60)
    text = f"`{facts.run_id}` is {facts.run_state}"
    reasons = [Reason(code="there", text=text, since=facts.run_made_at, about=about)]
    if late:
        reasons += _held_back(facts, tick) or [
            Reason(code="made_late", text="it was made later than its time", since=tick)
        ]
    return Explanation(
        headline="There is a run for that time", at=facts.at, reasons=(*reasons, *beside)
    )


def _never(facts: ScheduleFacts, tick: datetime) -> list[Reason]:
    waits = facts.next_run_at is not None and facts.next_run_at <= tick
    held = _held_back(facts, tick)
    if waits and not facts.is_paused:
        return [*held, _due(facts)]
    if waits and facts.catchup:
        text = "it is paused: its run is made when it is resumed (catchup)"
        since = facts.paused.since if facts.paused else None
        return [Reason(code="paused", text=text, since=since)]
    if tick < facts.created_at:
        return [
            Reason(code="not_there_yet", text="the DAG has been there only", since=facts.created_at)
        ]
    if facts.start_date is not None and tick < facts.start_date:
        return [
            Reason(
                code="before_start",
                text="its start date keeps it from running",
                until=facts.start_date,
            )
        ]
    if facts.end_date is not None and tick > facts.end_date:
        return [Reason(code="after_end", text="its end date has been over", since=facts.end_date)]
    if facts.schedule_since is not None and tick < facts.schedule_since:
        text = "it has had this schedule only"
        return [Reason(code="other_schedule", text=text, since=facts.schedule_since)]
    if facts.is_paused and held:
        return held
    if facts.is_paused and facts.paused is None:
        return [Reason(code="paused", text="it is paused; since when is not kept")]
    window = facts.catchup_window
    if facts.catchup and window is not None:
        text = f"it was missed, and catchup_window_seconds ({window.total_seconds():g}) was over"
        return [*held, Reason(code="window", text=text, since=tick)]
    if not facts.catchup:
        text = (
            "when its schedule was next looked at, a later time was due already, and without"
            " catchup only the latest gets a run"
        )
        return [*held, Reason(code="no_catchup", text=text, since=tick)]
    text = "its run is not kept any more, or was never made: what is kept does not say"
    return [*held, Reason(code="unknown", text=text)]


def _held_back(facts: ScheduleFacts, tick: datetime) -> list[Reason]:
    """Whether the DAG was paused at the tick."""
    paused = facts.paused
    if paused is None or paused.since > tick or (paused.until is not None and paused.until < tick):
        return []
    by = f" by {paused.by}" if paused.by else ""
    return [
        Reason(
            code="paused", text=f"it was paused then{by}", since=paused.since, until=paused.until
        )
    ]


def _due(facts: ScheduleFacts) -> Reason:
    looked = facts.looked_at
    if looked is None or facts.now - looked > AWAY_AFTER:
        text = (
            "it is due, and nobody looks at schedules: neither beat nor a dispatcher has been at"
            " work since"
        )
        return Reason(code="scheduler_away", text=text, since=looked)
    return Reason(code="about_to_start", text="it is due: its run begins in a moment")
