"""Where a task's time went, between the time that its run was due and its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from runs_app.domain.explaining.facts import MoveFacts, RunFacts, TaskFacts
from runs_app.domain.explaining.reasons import Reason, lasting
from runs_app.domain.states import FINAL, LEASED, TaskState

S = TaskState

#: Less than this says nothing about a delay.
_WORTH_TELLING = timedelta(seconds=1)

#: A share below this is left out.
_SMALLEST = timedelta(milliseconds=50)

_NOTHING = timedelta(0)

#: The shares, by code, in the order in which they pass.
_WORDS: Mapping[str, str] = {
    "time_made_late": "until its run was made",
    "time_turn": "until its run had its turn",
    "time_upstream": "until what is before it had ended",
    "time_slot": "waiting for a slot",
    "time_queue": "in the queue",
    "time_retries": "in tries that came to nothing, and between them",
    "time_looking": "looking for what it waits for",
    "time_running": "running",
}


def time_of(facts: RunFacts, task: TaskFacts) -> tuple[Reason, ...]:
    """How the time of a task that has begun is made up; a cleared one's since it was cleared."""
    moves = facts.moves
    cleared = [
        place
        for place, move in enumerate(moves)
        if move.to == S.WAITING and move.from_state in {*FINAL, S.RESTARTING}
    ]
    shares = dict.fromkeys(_WORDS, _NOTHING)
    if cleared:
        due = begin = moves[cleared[-1]].at
        moves = moves[cleared[-1] + 1 :]
    else:
        due, begin = _until_it_ran(facts, moves, shares)
    if not any(move.to == S.RUNNING for move in moves):
        return ()
    _pass_through(facts, task, moves, begin, shares)
    whole = sum(shares.values(), _NOTHING)
    if whole < _WORTH_TELLING:
        return ()
    words = dict(_WORDS)
    if last := _last_before(facts, task):
        words["time_upstream"] = f"until `{last.name}` had ended"
    parts = tuple(
        Reason(code=code, text=f"{lasting(shares[code])} {words[code]}")
        for code in _WORDS
        if shares[code] >= _SMALLEST
    )
    since = "it was cleared" if cleared else "its run was due"
    text = f"where the {lasting(whole)} since {since} went"
    return (Reason(code="time", text=text, since=due, because=parts),)


def _last_before(facts: RunFacts, task: TaskFacts) -> TaskFacts | None:
    """Which of the tasks right before it ended last."""
    ended = [other for other in facts.upstream_of(task) if other.finished_at is not None]
    return max(ended, key=lambda other: other.finished_at or facts.queued_at, default=None)


def _until_it_ran(
    facts: RunFacts, moves: Sequence[MoveFacts], shares: dict[str, timedelta]
) -> tuple[datetime, datetime]:
    """Puts down the run's own delays: when it was due, and when it began."""
    due = facts.queued_at
    if facts.run_type == "scheduled" and facts.logical_date is not None:
        due = min(due, facts.logical_date)
    began = facts.started_at
    if began is None or (moves and began > moves[0].at):
        began = facts.queued_at  # it was opened again: when it began at first is not in its row
    shares["time_made_late"] = facts.queued_at - due
    shares["time_turn"] = max(_NOTHING, began - facts.queued_at)
    return due, max(began, facts.queued_at)


def _pass_through(
    facts: RunFacts,
    task: TaskFacts,
    moves: Sequence[MoveFacts],
    begin: datetime,
    shares: dict[str, timedelta],
) -> None:
    """Puts down how long the task stood in each state."""
    first, *_ = moves
    ended = [other.finished_at for other in facts.upstream_of(task) if other.finished_at]
    ready = max([begin, *(moment for moment in ended if moment <= first.at)])
    shares["time_upstream"] = ready - begin
    shares["time_slot" if task.is_gated else "time_queue"] += max(_NOTHING, first.at - ready)
    following = [*moves[1:], MoveFacts(to="", at=facts.at)]
    for move, after in zip(moves, following, strict=True):
        if code := _share(move.to, after.to):
            shares[code] += max(_NOTHING, after.at - move.at)


def _share(state: str, after: str) -> str:
    """What the time in a state counts as, given the state that followed; empty for the end."""
    match state:
        case S.WAITING:
            return "time_slot"
        case S.QUEUED:
            return "time_queue"
        case S.UP_FOR_RETRY:
            return "time_retries"
        case S.UP_FOR_RESCHEDULE | S.DEFERRED:
            return "time_looking"
    if state not in LEASED:
        return ""
    if after in {S.UP_FOR_RETRY, S.QUEUED}:
        return "time_retries"
    return "time_looking" if after in {S.UP_FOR_RESCHEDULE, S.DEFERRED} else "time_running"
