"""Why? A table of situations, each told from facts alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dags_app.domain.tasks import TriggerRule
from dags_app.domain.timing.schedule import CronSchedule
from runs_app.domain.explaining.durations import time_of
from runs_app.domain.explaining.facts import (
    BeforeFacts,
    Holder,
    MoveFacts,
    OtherRun,
    PoolFacts,
    QueueFacts,
    RunFacts,
    TaskFacts,
)
from runs_app.domain.explaining.reasons import DEEP, WIDE, Explanation, lasting
from runs_app.domain.explaining.runs import explain_run
from runs_app.domain.explaining.tasks import explain_task
from runs_app.domain.explaining.ticks import Paused, ScheduleFacts, explain_tick
from runs_app.domain.graph import Graph, Node
from runs_app.domain.states import RunState, TaskState
from tests.domain.runs import graph_of

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ROW = graph_of({"extract": "", "load": "extract", "report": "load"})

S = TaskState


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def facts(graph: Graph = ROW, /, *, states: str = "", **fields: Any) -> RunFacts:
    """A run whose tasks stand as `states` says, in their order; `tasks={"a": {...}}` adds."""
    details: dict[str, dict[str, Any]] = fields.pop("tasks", {})
    standing = [*map(TaskState, states.split()), *[S.WAITING] * len(graph)]
    tasks = {
        (node.position, -1): replace(
            TaskFacts(
                key=(node.position, -1),
                name=node.task_id,
                state=state,
                since=NOON,
                is_gated=node.is_gated,
            ),
            **details.get(node.task_id, {}),
        )
        for node, state in zip(graph.nodes, standing, strict=False)
    }
    given: dict[str, Any] = {
        "dag_id": "shop",
        "run_id": "r1",
        "run_type": "manual",
        "state": RunState.RUNNING,
        "at": after(60),
        "queued_at": NOON,
        "started_at": NOON,
    }
    return RunFacts(graph=graph, tasks=tasks, **given | fields)


def why(known: RunFacts, task: str) -> Explanation:
    return explain_task(known, known.tasks[known.graph.position_of[task], -1])


def told(explanation: Explanation) -> list[str]:
    return [explanation.headline, *("  " * depth + r.text for depth, r in explanation.walk())]


def codes(explanation: Explanation) -> list[str]:
    return [reason.code for _, reason in explanation.walk()]


# ------------------------------------------------------------------- tasks

POOLED = graph_of({"export": ""}, gated="export")


def in_pool(slots: int, *holders: Holder, **task: Any) -> RunFacts:
    task = {"pool": "db", "ready_at": after(3)} | task
    return facts(
        POOLED,
        pools={"db": PoolFacts(slots=slots, holders=holders)},
        tasks={"export": task},
    )


def holder(number: int, slots: int = 1) -> Holder:
    return Holder(
        dag_id="daily", run_id=f"r{number}", task_id="copy", slots=slots, since=after(number)
    )


def queue(**fields: Any) -> dict[str, QueueFacts]:
    return {"default": QueueFacts(**fields)}


TASKS: dict[str, tuple[RunFacts, str, list[str]]] = {
    "the chain down to what runs": (
        facts(states="running", tasks={"extract": {"worker": "w1"}}),
        "report",
        [
            "`report` waits for `load`",
            "`load` waits for `extract`",
            "  `extract` is running on w1",
        ],
    ),
    "a full pool": (
        in_pool(3, holder(1, slots=2), holder(2)),
        "export",
        [
            "`export` waits for a slot of the pool `db`",
            "3 of 3 slots of `db` are taken",
            "  `daily/r1/copy` has 2",
            "  `daily/r2/copy` has one",
        ],
    ),
    "a pool with too little left": (
        in_pool(3, holder(1, slots=2), pool_slots=2),
        "export",
        [
            "`export` waits for 2 slots of the pool `db`",
            "2 of 3 slots of `db` are taken",
            "  `daily/r1/copy` has 2",
        ],
    ),
    "a pool without slots": (
        in_pool(0),
        "export",
        [
            "`export` waits for a slot of the pool `db`",
            "the pool `db` has no slots: it holds back every task until it gets some",
        ],
    ),
    "a pool that is too small for it": (
        in_pool(1, pool_slots=4),
        "export",
        [
            "`export` waits for 4 slots of the pool `db`",
            "it needs 4 slots, and the pool `db` has 1",
        ],
    ),
    "a pool that is gone": (
        facts(POOLED, tasks={"export": {"pool": "db", "ready_at": NOON}}),
        "export",
        [
            "`export` waits for a slot of the pool `db`",
            "there is no pool `db` any more: make it, or change the task",
        ],
    ),
    "max_active_tasks": (
        facts(POOLED, max_active_tasks=1, active_tasks=(holder(1),)),
        "export",
        [
            "`export` waits for a slot of its DAG",
            "its DAG may have 1 task under way at once (max_active_tasks): 1 is",
            "  `daily/r1/copy` has one",
        ],
    ),
    "its run waits": (
        facts(state=RunState.QUEUED),
        "extract",
        ["`extract` waits for its run to begin", "its run has not begun"],
    ),
    "the run before": (
        facts(
            Graph([Node(0, "a", awaits_past=True, awaits_downstream=True), Node(1, "b", (0,))]),
            before=BeforeFacts(run_id="r0", states={"a": [S.SUCCESS], "b": [S.FAILED]}),
        ),
        "a",
        ["`a` waits for the run before it", "`b` of `r0` is failed (wait_for_downstream)"],
    ),
    "no worker": (
        facts(states="queued", queues=queue()),
        "extract",
        [
            "`extract` lies in the queue `default`",
            "no worker that is alive serves the queue `default`: start one",
        ],
    ),
    "busy workers": (
        facts(
            states="queued",
            queues=queue(workers=("w1", "w2"), processes=4, running=4, queued=3),
        ),
        "extract",
        [
            "`extract` lies in the queue `default`",
            "every process of w1, w2 is busy (4 in all), and 2 other tasks wait in the queue",
        ],
    ),
    "a silent worker": (
        facts(
            states="running",
            silent={"w1": after(10)},
            tasks={"extract": {"worker": "w1", "lease_expires_at": after(90)}},
        ),
        "extract",
        [
            "`extract` is running on w1",
            "w1 is silent: it is taken over when its lease has run out",
        ],
    ),
    "a retry": (
        facts(
            states="up_for_retry",
            tasks={
                "extract": {
                    "attempt": 1,
                    "max_attempts": 3,
                    "ended_with": "timeout",
                    "message": "too\n slow",
                }
            },
        ),
        "extract",
        ["`extract` failed in try 1 of 3, and is tried again", "timeout: too slow"],
    ),
    "a sensor": (
        facts(
            states="up_for_reschedule",
            tasks={"extract": {"ended_with": "poked", "message": "no file yet"}},
        ),
        "extract",
        [
            "`extract` has not found what it waits for, and looks again",
            "poked: no file yet",
        ],
    ),
    "an approval": (
        facts(states="deferred", questions={(0, -1): ("Publish?", ("bob", "eve"))}),
        "extract",
        [
            "`extract` waits for somebody's answer",
            "“Publish?” has no answer yet; bob, eve may give it",
        ],
    ),
    "cancelling": (
        facts(
            states="cancelling",
            tasks={"extract": {"reason": "task cancelled", "actor": "user:bob"}},
        ),
        "extract",
        [
            "`extract` is being cancelled (task cancelled by user:bob): its worker has been told",
        ],
    ),
    "upstream failed": (
        facts(
            states="failed upstream_failed upstream_failed",
            tasks={
                "extract": {"attempt": 2, "ended_with": "exception", "message": "no table"},
                "load": {"reason": "trigger rule"},
                "report": {"reason": "trigger rule"},
            },
        ),
        "report",
        [
            "`report` was not begun, because something before it went wrong",
            "`load` was not begun, because something before it went wrong",
            "  `extract` has failed after 2 tries",
            "    exception: no table",
        ],
    ),
    "skipped by its rule": (
        facts(
            graph_of({"a": "", "b": "", "c": "a b"}, rules={"c": TriggerRule.ALL_FAILED}),
            states="success success skipped",
            tasks={"c": {"reason": "trigger rule"}},
        ),
        "c",
        ["`c` was skipped", "its trigger rule is all_failed, and 2 success"],
    ),
    "skipped by fail_fast": (
        facts(
            Graph([Node(0, "a"), Node(1, "b")], fails_fast=True),
            states="failed skipped",
            tasks={"b": {"reason": "trigger rule", "since": after(1)}},
        ),
        "b",
        [
            "`b` was skipped",
            "`a` went wrong, and the first failure ends a run of this DAG (fail_fast)",
        ],
    ),
    "skipped itself": (
        facts(
            states="skipped",
            tasks={"extract": {"reason": "skipped", "message": "a holiday"}},
        ),
        "extract",
        ["`extract` has skipped itself", "a holiday"],
    ),
    "nothing is missing": (
        facts(states="success"),
        "load",
        ["`load` is about to be given to its queue"],
    ),
}


@pytest.mark.parametrize("situation", TASKS)
def test_a_task_is_told_with_what_it_waits_for_or_has_ended_by(situation: str) -> None:
    known, task, expected = TASKS[situation]
    assert told(why(known, task)) == expected


def test_a_chain_is_followed_no_deeper_and_a_crowd_named_no_further_than_tells_anything() -> None:
    chain = {f"t{place}": f"t{place - 1}" if place else "" for place in range(100)}
    deep = why(facts(graph_of(chain)), "t99")
    assert len(codes(deep)) == DEEP
    crowd = {f"t{place}": "" for place in range(100)} | {
        "join": " ".join(f"t{n}" for n in range(100))
    }
    wide = why(facts(graph_of(crowd)), "join")
    assert wide.headline == "`join` waits for `t0`, `t1`, `t2` and 97 more"
    assert len(wide.reasons) == WIDE


def test_times_stand_beside_the_words() -> None:
    known = facts(
        states="up_for_retry", tasks={"extract": {"wake_at": after(90), "since": after(5)}}
    )
    load = why(known, "load")
    (reason,) = load.reasons
    assert (reason.since, reason.until) == (after(5), after(90))
    assert reason.about is not None
    assert (reason.about.kind, reason.about.name, reason.about.run_id) == ("task", "extract", "r1")


def test_what_is_not_kept_of_the_past_is_not_made_up() -> None:
    known = replace(in_pool(5, holder(1)), is_past=True)
    assert told(why(known, "export"))[1] == "1 slot of `db` is known to have been taken"
    queued = facts(states="queued", is_past=True)
    assert told(why(queued, "extract")) == ["`extract` lies in the queue `default`"]


# ------------------------------------------------------------------- where the time went


def moved(*moves: tuple[float, str]) -> tuple[MoveFacts, ...]:
    states = ["waiting", *(to for _, to in moves)]
    return tuple(
        MoveFacts(from_state=before, to=to, at=after(seconds))
        for before, (seconds, to) in zip(states, moves, strict=False)
    )


def shares(known: RunFacts, task: str) -> dict[str, str]:
    (reason,) = time_of(known, known.tasks[known.graph.position_of[task], -1])
    return {part.code: part.text for part in reason.because}


def test_the_time_of_a_task_is_split_into_what_it_was_spent_on() -> None:
    known = facts(
        states="success success",
        run_type="scheduled",
        logical_date=after(-30),
        started_at=after(10),
        at=after(100),
        tasks={"extract": {"finished_at": after(25)}},
        moves=moved((26, "queued"), (30, "running"), (70, "success")),
    )
    assert shares(known, "load") == {
        "time_made_late": "30 s until its run was made",
        "time_turn": "10 s until its run had its turn",
        "time_upstream": "15 s until `extract` had ended",
        "time_queue": "5.0 s in the queue",
        "time_running": "40 s running",
    }


def test_tries_that_failed_and_their_delays_are_a_share_of_their_own() -> None:
    known = facts(
        states="running",
        moves=moved(
            (0, "queued"), (0, "running"), (20, "up_for_retry"), (40, "queued"), (41, "running")
        ),
    )
    assert shares(known, "extract") == {
        "time_queue": "1.0 s in the queue",
        "time_retries": "40 s in tries that came to nothing, and between them",
        "time_running": "19 s running",
    }


def test_the_wait_for_a_slot_is_told_apart_from_that_in_the_queue() -> None:
    known = replace(in_pool(1), moves=moved((20, "queued"), (22, "running"), (30, "success")))
    assert shares(known, "export") == {
        "time_slot": "20 s waiting for a slot",
        "time_queue": "2.0 s in the queue",
        "time_running": "8.0 s running",
    }


def test_of_a_cleared_task_the_time_since_then_counts() -> None:
    moves = (
        *moved((0, "queued"), (1, "running"), (9, "success"), (50, "waiting")),
        *(MoveFacts(from_state=a, to=b, at=after(s)) for s, a, b in AGAIN),
    )
    known = facts(states="success", moves=moves)
    (reason,) = time_of(known, known.tasks[0, -1])
    assert (reason.text, reason.since) == ("where the 5.0 s since it was cleared went", after(50))


AGAIN = ((51, "waiting", "queued"), (52, "queued", "running"), (55, "running", "success"))


def test_of_what_took_no_time_nothing_is_told() -> None:
    known = facts(
        states="success", moves=moved((0.1, "queued"), (0.2, "running"), (0.3, "success"))
    )
    assert time_of(known, known.tasks[0, -1]) == ()
    assert time_of(facts(), facts().tasks[0, -1]) == ()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0.0 s"), (9.94, "9.9 s"), (12, "12 s"), (200, "3 min 20 s"), (3600, "1 h"),
     (187_200, "2 d 4 h")],
)  # fmt: skip
def test_spans_have_two_units_at_most(seconds: float, words: str) -> None:
    assert lasting(timedelta(seconds=seconds)) == words


# ------------------------------------------------------------------- runs

LATE = (
    "it was made 2 hours after its time: its DAG was paused or not there then, or nobody looked at"
    " schedules"
)

RUNS: dict[str, tuple[RunFacts, list[str]]] = {
    "in line": (
        facts(
            state=RunState.QUEUED,
            runs_at_once=2,
            under_way=(
                OtherRun(run_id="r0", state="running"),
                OtherRun(run_id="r2", state="running"),
            ),
            ahead=3,
            started_at=None,
        ),
        [
            "The run waits for its turn",
            "its DAG may have 2 runs under way at once, and 2 are",
            "  `r0` is running",
            "  `r2` is running",
            "3 runs of the DAG came before it and wait too",
        ],
    ),
    "in line by its overlap policy": (
        facts(
            state=RunState.QUEUED,
            runs_at_once=1,
            overlap_policy="buffer_all",
            under_way=(OtherRun(run_id="r0", state="running"),),
            started_at=None,
        ),
        [
            "The run waits for its turn",
            "its DAG has the overlap policy buffer_all: one run at a time, and 1 is",
            "  `r0` is running",
        ],
    ),
    "under way": (
        facts(states="success running", tasks={"load": {"worker": "w1"}}),
        ["The run is under way: 1 of 3 tasks have ended", "`load` is running on w1"],
    ),
    "failed": (
        facts(
            state=RunState.FAILED,
            states="failed upstream_failed upstream_failed",
            tasks={"extract": {"attempt": 1, "ended_with": "exit_code", "message": "code 3"}},
        ),
        [
            "The run has failed",
            "`extract` has failed at its only try",
            "  exit_code: code 3",
            "2 tasks after that were not begun",
        ],
    ),
    "late": (
        facts(
            state=RunState.SUCCESS,
            states="success success success",
            run_type="scheduled",
            logical_date=after(-7200),
            started_at=after(600),
        ),
        [
            "The run has succeeded",
            LATE,
            "it waited 10 minutes for its turn: its DAG may have 16 runs under way at once",
        ],
    ),
    "not there yet": (
        facts(is_past=True, at=after(-1)),
        ["The run was not there yet: it was made later"],
    ),
}


@pytest.mark.parametrize("situation", RUNS)
def test_a_run_is_told_with_what_holds_it_up_or_has_ended_it(situation: str) -> None:
    known, expected = RUNS[situation]
    assert told(explain_run(known)) == expected


# ------------------------------------------------------------------- schedules

TICK = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = timedelta(days=1)


def schedule(**fields: Any) -> ScheduleFacts:
    """A daily one, long there, asked about a tick that has left nothing."""
    given: dict[str, Any] = {
        "dag_id": "shop",
        "at": TICK,
        "now": NOON,
        "timetable": CronSchedule("0 0 * * *", timezone="UTC"),
        "created_at": TICK - 90 * DAYS,
        "next_run_at": TICK + DAYS,
        "looked_at": NOON,
    }
    return ScheduleFacts(**given | fields)


TICKS: dict[str, tuple[ScheduleFacts, Iterable[str]]] = {
    "there": (schedule(run_id="r1", run_state="success", run_made_at=TICK), ["there"]),
    "made late": (
        schedule(run_id="r1", run_state="success", run_made_at=NOON),
        ["there", "made_late"],
    ),
    "no schedule": (schedule(timetable=None), ["no_schedule"]),
    "assets": (schedule(timetable=None, waits_for=("s3://a",)), ["assets"]),
    "before the DAG": (schedule(created_at=NOON), ["not_there_yet"]),
    "before its start": (schedule(start_date=NOON), ["before_start"]),
    "after its end": (schedule(end_date=TICK - DAYS), ["after_end"]),
    "another schedule then": (schedule(schedule_since=NOON), ["other_schedule"]),
    "passed over": (schedule(skipped_because="a run had not ended"), ["overlap"]),
    "paused then": (
        schedule(paused=Paused(since=TICK - DAYS, until=NOON), catchup=True),
        ["paused", "unknown"],
    ),
    "paused then, and missed for good": (
        schedule(paused=Paused(since=TICK - DAYS, until=NOON)),
        ["paused", "no_catchup"],
    ),
    "paused, to be made up for": (
        schedule(is_paused=True, catchup=True, next_run_at=TICK, created_at=NOON),
        ["paused"],
    ),
    "due": (schedule(next_run_at=TICK), ["about_to_start"]),
    "due before the DAG was there": (
        schedule(next_run_at=TICK, created_at=NOON, catchup=True),
        ["about_to_start"],
    ),
    "nobody looks": (schedule(next_run_at=TICK, looked_at=TICK - DAYS), ["scheduler_away"]),
    "no tick": (
        schedule(at=NOON - timedelta(hours=1), run_id="r1", run_state="success", run_made_at=TICK),
        ["there", "tick_before", "tick_after"],
    ),
    "to come": (schedule(at=TICK + 5 * DAYS), ["to_come"]),
    "to come, but paused": (schedule(at=TICK + 5 * DAYS, is_paused=True), ["paused"]),
    "to come, but before its start": (
        schedule(at=TICK + 5 * DAYS, start_date=TICK + 9 * DAYS),
        ["before_start"],
    ),
    "to come, but after its end": (schedule(at=TICK + 5 * DAYS, end_date=TICK), ["after_end"]),
}


@pytest.mark.parametrize("situation", TICKS)
def test_a_tick_is_told_with_what_came_of_it(situation: str) -> None:
    known, expected = TICKS[situation]
    assert codes(explain_tick(known)) == expected
