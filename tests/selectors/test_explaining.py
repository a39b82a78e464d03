"""Why? Told from real rows: runs that wait, tasks that wait, ends, and runs that never came."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dags_app.actions import pausing
from dags_app.models import Dag, DagPause
from runs_app.actions.cancellation import cancel_run
from runs_app.actions.dispatching_steps import dispatch
from runs_app.domain.explaining.reasons import Explanation
from runs_app.domain.outcomes import Outcome
from runs_app.models import DagRun, Pool, SkippedTick, Tick, Transition, Worker
from runs_app.selectors.explaining.asking import why_dag, why_run, why_task
from skytrail.database.clock import database_now
from tests.actions.test_approvals import asked
from tests.api.stories import begin, end, perform
from tests.conveyor import Conveyor, ends, failing
from tests.dead_letters import dead_letter
from tests.factories import save_dag, start_run, task

pytestmark = pytest.mark.usefixtures("committing")

DAY = datetime(2026, 1, 5, tzinfo=UTC)


def lines(explanation: Explanation) -> list[str]:
    """The explanation as text: each cause indented below what it has come to."""
    return [explanation.headline, *("  " * depth + r.text for depth, r in explanation.walk())]


def why(run: DagRun, task_id: str, *, at: datetime | None = None) -> list[str]:
    row = task(run, task_id)
    row.run = DagRun.objects.select_related("dag", "version").get(pk=run.pk)
    return lines(why_task(row, at=at))


def why_of(run: DagRun, *, at: datetime | None = None) -> list[str]:
    return lines(why_run(DagRun.objects.select_related("dag", "version").get(pk=run.pk), at=at))


# ------------------------------------------------------------------- tasks that wait


def test_the_chain_is_followed_to_what_runs() -> None:
    run = start_run(save_dag({"load": [], "check": ["load"], "publish": ["check"]}))
    begin(run, "load")
    assert why(run, "publish") == [
        "`publish` waits for `check`",
        "`check` waits for `load`",
        "  `load` is running on worker@one",
    ]


def test_a_full_pool_is_told_with_who_fills_it(conveyor: Conveyor) -> None:
    Pool.objects.create(name="db", slots=1)
    pooled = {"t": {"pool": "db"}}
    runs = [start_run(save_dag({"t": []}, name=name, tasks=pooled)) for name in ("one", "two")]
    conveyor.deliver_one()
    conveyor.deliver_one()
    waiting = next(run for run in runs if task(run, "t").state == "waiting")
    taker = next(run for run in runs if run != waiting)
    assert why(waiting, "t") == [
        "`t` waits for a slot of the pool `db`",
        f"1 of 1 slots of `db` are taken by {taker.dag.dag_id}/t",
    ]


def test_a_pool_without_slots_is_told() -> None:
    Pool.objects.create(name="db", slots=0)
    run = start_run(save_dag({"t": []}, tasks={"t": {"pool": "db"}}))
    assert "the pool `db` has no slots: it holds back every task until it gets some" in why(
        run, "t"
    )


def test_nobody_serves_the_queue() -> None:
    run = start_run(save_dag({"t": []}, tasks={"t": {"queue": "gpu"}}))
    assert why(run, "t") == [
        "`t` lies in the queue `gpu`",
        "no worker that is alive serves the queue `gpu`: start one",
    ]


def test_all_workers_are_busy() -> None:
    Worker.objects.create(
        name="w@one",
        hostname="one",
        pid=1,
        queues=["default"],
        concurrency=1,
        last_heartbeat=database_now(),
    )
    run = start_run(save_dag({"a": [], "b": []}))
    begin(run, "a")
    assert why(run, "b") == [
        "`b` lies in the queue `default`",
        "every process of w@one is busy (1 in all)",
    ]


def test_a_retry_says_what_went_wrong() -> None:
    run = start_run(save_dag({"t": []}, tasks={"t": {"retries": 1}}))
    perform(run, "t", failing("no such table"))
    assert why(run, "t") == [
        "`t` failed in try 1 of 2, and is tried again",
        "exception: no such table",
    ]


def test_an_answer_is_waited_for(conveyor: Conveyor) -> None:
    run = asked(conveyor, assigned_users=["bob"])
    told = f"“Publish {run.run_id}?” has no answer yet; bob may give it"
    assert why(run, "publish")[-1].strip() == told


# ------------------------------------------------------------------- tasks that are over


def test_a_failure_is_told_with_its_words() -> None:
    letter = dead_letter(message="disk full")
    assert why(letter.run, "extract") == [
        "`extract` has failed at its only try",
        "exit_code: disk full",
    ]
    assert why(letter.run, "load") == [
        "`load` was not begun, because something before it went wrong",
        "`extract` has failed at its only try",
        "  exit_code: disk full",
    ]


def test_a_branch_not_taken_is_told() -> None:
    graph = {"choose": [], "left": ["choose"], "right": ["choose"]}
    details = {
        "choose": {"type": "branch", "value": "x", "cases": {"x": ["left"]}, "default": ["right"]},
    }
    run = start_run(save_dag(graph, tasks=details))
    execution = begin(run, "choose")
    end(execution, Outcome.success(chosen=("left",)))
    dispatch(run.pk, actor="dispatcher")
    assert why(run, "right") == ["`right` was skipped", "`choose` has decided to go on with `left`"]


# ------------------------------------------------------------------- then


def test_the_past_is_told_from_history() -> None:
    run = start_run(save_dag({"load": [], "check": ["load"]}))
    execution = begin(run, "load")
    then = database_now()
    end(execution, None)
    assert why(run, "check", at=then) == [
        "`check` waits for `load`",
        "`load` is running on worker@one",
    ]
    assert why_of(run, at=then)[0] == "The run is under way: 0 of 2 tasks have ended"


# ------------------------------------------------------------------- runs


def test_a_run_waits_for_its_turn() -> None:
    dag = save_dag({"t": []}, max_active_runs=1)
    start_run(dag, run_id="first")
    second = start_run(dag, run_id="second")
    assert why_of(second) == [
        "The run waits for its turn",
        "its DAG may have 1 run under way at once, and 1 is",
        "  `first` is running",
    ]
    assert why(second, "t") == ["`t` waits for its run to begin", "its run has not begun"]


def test_a_run_says_where_it_stands() -> None:
    run = start_run(save_dag({"a": [], "b": ["a"]}))
    begin(run, "a")
    assert why_of(run) == [
        "The run is under way: 0 of 2 tasks have ended",
        "`a` is running on worker@one",
    ]


def test_a_failed_run_says_what_failed(conveyor: Conveyor) -> None:
    conveyor.script = ends(a=failing("no"))
    run = start_run(save_dag({"a": [], "b": ["a"]}))
    conveyor.run()
    assert why_of(run) == [
        "The run has failed",
        "`a` has failed at its only try",
        "  exception: no",
        "1 task after that was not begun",
    ]


def test_who_cancelled_is_told(conveyor: Conveyor) -> None:
    run = start_run(save_dag({"a": []}))
    cancel_run(run, actor="user:alice")
    assert why_of(run) == ["The run was cancelled (run cancelled by user:alice)"]


def test_a_run_that_came_late_says_how_late() -> None:
    run = start_run(save_dag({"a": []}))
    DagRun.objects.filter(pk=run.pk).update(
        run_type="scheduled", logical_date=run.queued_at - timedelta(hours=2)
    )
    assert why_of(run)[-1].startswith("it was made 2 hours after its time")


# ------------------------------------------------------------------- runs that never came


def scheduled(**fields: object) -> Dag:
    """A daily DAG that is as old as time."""
    dag = save_dag({"a": []}, cron="@daily", **fields)
    Dag.objects.filter(pk=dag.pk).update(
        created_at=DAY - timedelta(days=90), schedule_since=DAY - timedelta(days=90)
    )
    return Dag.objects.get(pk=dag.pk)


def test_a_dag_without_a_schedule() -> None:
    dag = save_dag({"a": []})
    assert lines(why_dag(dag)) == [
        "No time starts this DAG",
        "it has no schedule: it runs when somebody triggers it",
    ]


def test_it_was_paused_then() -> None:
    dag = scheduled()
    pausing.pause(dag, actor="user:alice")
    DagPause.objects.update(paused_at=DAY - timedelta(hours=1))
    pausing.resume(dag, actor="user:bob")
    dag.refresh_from_db()
    assert lines(why_dag(dag, at=DAY))[:2] == [
        "There is no run for that time",
        "it was paused then by user:alice",
    ]


def test_the_overlap_policy_passed_it_over() -> None:
    dag = scheduled(overlap_policy="skip")
    SkippedTick.objects.create(dag=dag, logical_date=DAY, reason="a run had not ended")
    assert lines(why_dag(dag, at=DAY)) == [
        "There is no run for that time",
        "the overlap policy passed it over: a run had not ended",
    ]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"start_date": "2026-02-01"}, "before_start"),
        ({"end_date": "2026-01-01"}, "after_end"),
    ],
)
def test_it_was_outside_its_dates(fields: dict[str, str], code: str) -> None:
    explanation = why_dag(scheduled(**fields), at=DAY)
    assert explanation.reasons[0].code == code


def test_nobody_looks_at_schedules() -> None:
    dag = scheduled()
    Dag.objects.filter(pk=dag.pk).update(next_run_at=DAY)
    dag.refresh_from_db()
    Tick.objects.create(name="schedule", ran_at=DAY - timedelta(hours=1))
    explanation = why_dag(dag, at=DAY)
    assert [reason.code for reason in explanation.reasons] == ["scheduler_away"]
    assert explanation.reasons[0].since == DAY - timedelta(hours=1)


def test_a_time_between_two_ticks_names_both() -> None:
    explanation = why_dag(scheduled(), at=DAY + timedelta(hours=5))
    found = {reason.code: reason.since for reason in explanation.reasons}
    assert found["tick_before"] == DAY
    assert found["tick_after"] == DAY + timedelta(days=1)


def test_a_time_to_come_says_what_will_be() -> None:
    dag = scheduled()
    explanation = why_dag(dag, at=database_now() + timedelta(days=3))
    assert [reason.code for reason in explanation.reasons] == ["to_come"]
    pausing.pause(dag, actor="user:alice")
    dag.refresh_from_db()
    explanation = why_dag(dag, at=database_now() + timedelta(days=3))
    assert [reason.code for reason in explanation.reasons] == ["paused"]


# ------------------------------------------------------------------- how much it costs


def test_a_large_run_takes_no_more_queries_than_a_small_one() -> None:
    counts = []
    for size in (3, 300):
        graph = {f"t{place}": [f"t{place - 1}"] if place else [] for place in range(size)}
        run = start_run(save_dag(graph, name=f"chain{size}"))
        why(run, f"t{size - 1}")
        with CaptureQueriesContext(connection) as queries:
            why(run, f"t{size - 1}")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 12


def test_a_task_that_never_moved_waited(conveyor: Conveyor) -> None:
    run = start_run(save_dag({"a": [], "b": ["a"]}))
    assert not Transition.objects.filter(task_run=task(run, "b")).exists()
    assert why(run, "b", at=database_now())[0] == "`b` waits for `a`"
