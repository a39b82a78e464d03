"""Why? Told from real rows: runs that wait, tasks that wait, ends, and runs that never came."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dags_app.actions import pausing
from dags_app.models import Dag, DagPause
from runs_app.actions import attempts
from runs_app.actions.cancellation import cancel_run
from runs_app.actions.dispatching_steps import dispatch
from runs_app.actions.rerunning import clear
from runs_app.actions.waking import wake
from runs_app.domain.clearing import Selection
from runs_app.domain.executions import Execution
from runs_app.domain.explaining.reasons import Explanation
from runs_app.domain.outcomes import Outcome
from runs_app.models import DagRun, Pool, SkippedTick, TaskRun, Tick, Transition, Worker
from runs_app.selectors.explaining.asking import why_dag, why_run, why_task
from skytrail.database.clock import database_now
from tests.actions.test_approvals import asked
from tests.actions.test_retrying import let_time_pass
from tests.api.stories import WORKER, begin, end, perform
from tests.conveyor import Conveyor, ends, failing
from tests.dead_letters import dead_letter
from tests.factories import Graph, save_dag, start_run, states, task

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
        "1 of 1 slots of `db` are taken",
        f"  `{taker.dag.dag_id}/{taker.run_id}/t` has one",
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


def second_try(run: DagRun, task_id: str) -> TaskRun:
    """A failed task is tried again at once, and taken by another worker."""
    let_time_pass()
    wake()
    row = task(run, task_id)
    claimed = attempts.claim(task_run_id=row.pk, epoch=row.epoch, worker="other@two")
    assert isinstance(claimed, Execution)
    attempts.finish(claimed, failing("second words"), worker="other@two")
    return task(run, task_id)


def test_the_past_has_the_try_the_worker_and_the_words_of_then() -> None:
    run = start_run(save_dag({"t": []}, tasks={"t": {"retries": 2}}))
    execution = begin(run, "t")
    while_it_ran = database_now()
    end(execution, failing("first words"))
    while_it_slept = database_now()
    second_try(run, "t")
    assert why(run, "t", at=while_it_ran) == ["`t` is running on worker@one, try 1 of 3"]
    assert why(run, "t", at=while_it_slept) == [
        "`t` failed in try 1 of 3, and is tried again",
        "exception: first words",
    ]
    assert "exception: second words" in why(run, "t")


def test_before_it_was_made_a_run_was_not_there() -> None:
    run = start_run(save_dag({"t": []}))
    perform(run, "t")
    early = run.queued_at - timedelta(hours=1)
    assert why_of(run, at=early) == ["The run was not there yet: it was made later"]
    assert why(run, "t", at=early) == ["`t` was not there yet: its run was made later"]


def test_who_had_the_slots_then_is_told_from_history(conveyor: Conveyor) -> None:
    Pool.objects.create(name="db", slots=1)
    pooled = {"t": {"pool": "db"}}
    runs = [start_run(save_dag({"t": []}, name=name, tasks=pooled)) for name in ("one", "two")]
    conveyor.deliver_one()
    conveyor.deliver_one()
    waiting = next(run for run in runs if task(run, "t").state == "waiting")
    taker = next(run for run in runs if run != waiting)
    then = database_now()
    conveyor.run()
    assert states(waiting) == {"t": "success"}
    assert why(waiting, "t", at=then) == [
        "`t` waits for a slot of the pool `db`",
        "1 slot of `db` is known to have been taken",
        f"  `{taker.dag.dag_id}/{taker.run_id}/t` has one",
    ]


def test_a_run_in_line_then_had_the_runs_of_then_before_it(conveyor: Conveyor) -> None:
    dag = save_dag({"t": []}, max_active_runs=1)
    start_run(dag, run_id="first")
    second = start_run(dag, run_id="second")
    third = start_run(dag, run_id="third")
    then = database_now()
    conveyor.run()
    second.refresh_from_db()
    assert second.state == "success"
    assert why_of(third, at=then) == [
        "The run waits for its turn",
        "its DAG may have 1 run under way at once, and 1 is",
        "  `first` is running",
        "1 run of the DAG came before it and waits too",
    ]


# ------------------------------------------------------------ mapped tasks, the run before


def test_a_task_behind_a_mapped_one_waits_for_its_instances(conveyor: Conveyor) -> None:
    conveyor.script = ends(many=Outcome.expanded([{"n": 1}, {"n": 2}]))
    conveyor.held = {"many[0]", "many[1]"}
    details = {"many": {"expand": {"n": [1, 2]}}}
    run = start_run(save_dag({"many": [], "join": ["many"]}, tasks=details))
    before = database_now()
    conveyor.run()
    told = why(run, "join")
    assert told[0] == "`join` waits for `many[0]`, `many[1]`"
    assert "`many[0]` lies in the queue `default`" in told
    assert why(run, "join", at=before)[0] == "`join` waits for `many`"


def test_what_is_missing_in_the_run_before_is_named() -> None:
    dag = save_dag({"t": []}, tasks={"t": {"depends_on_past": True}}, cron="@daily")
    runs = [
        start_run(
            dag, run_id=f"r{day}", run_type="backfill", logical_date=DAY + timedelta(days=day)
        )
        for day in range(2)
    ]
    dispatch(runs[0].pk, actor="dispatcher")
    execution = begin(runs[0], "t")
    then = database_now()
    assert why(runs[1], "t") == [
        "`t` waits for the run before it",
        "`t` of `r0` is running (depends_on_past)",
    ]
    end(execution, failing("no"))
    assert why(runs[1], "t")[1] == "`t` of `r0` is failed (depends_on_past)"
    assert why(runs[1], "t", at=then)[1] == "`t` of `r0` is running (depends_on_past)"


# ------------------------------------------------------------------- decisions


def test_what_the_first_failure_has_ended_names_it(conveyor: Conveyor) -> None:
    conveyor.script = ends(a=failing("no"))
    conveyor.held = {"b"}
    run = start_run(save_dag({"a": [], "b": [], "c": ["b"]}, fail_fast=True))
    conveyor.run()
    assert why(run, "c") == [
        "`c` was skipped",
        "`a` went wrong, and the first failure ends a run of this DAG (fail_fast)",
        "  exception: no",
    ]


def test_a_task_that_was_cleared_and_is_then_skipped_has_not_skipped_itself() -> None:
    graph = {"choose": [], "left": ["choose"], "right": ["choose"]}
    details = {
        "choose": {"type": "branch", "value": "x", "cases": {"x": ["left"]}, "default": ["right"]},
    }
    run = start_run(save_dag(graph, tasks=details))
    end(begin(run, "choose"), Outcome.success(chosen=("right",)))
    dispatch(run.pk, actor="dispatcher")
    end(begin(run, "right"), Outcome.skipped("nothing to do"))
    assert why(run, "right") == ["`right` has skipped itself", "skipped: nothing to do"]
    clear(run, Selection(task_ids=["choose"], downstream=True), actor="user:alice")
    dispatch(run.pk, actor="dispatcher")
    end(begin(run, "choose"), Outcome.success(chosen=("left",)))
    dispatch(run.pk, actor="dispatcher")
    assert why(run, "right") == ["`right` was skipped", "`choose` has decided to go on with `left`"]


# ------------------------------------------------------------------- workers


def test_a_silent_worker_is_told_of_before_its_lease_has_run_out() -> None:
    run = start_run(save_dag({"t": []}))
    begin(run, "t")
    heard = database_now() - timedelta(minutes=1)
    Worker.objects.create(
        name=WORKER, hostname="one", pid=1, queues=["default"], concurrency=1, last_heartbeat=heard
    )
    row = task(run, "t")
    row.run = DagRun.objects.select_related("dag", "version").get(pk=run.pk)
    (reason,) = why_task(row).reasons
    assert (reason.code, reason.since, reason.until) == (
        "worker_silent",
        heard,
        row.lease_expires_at,
    )


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
    found = {reason.code: (reason.since, reason.until) for reason in explanation.reasons}
    assert found["tick_before"] == (DAY, None)
    assert found["tick_after"] == (None, DAY + timedelta(days=1))


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
    assert counts[0] == counts[1] <= 10


def test_a_run_in_which_everything_is_waited_for_takes_few_queries(conveyor: Conveyor) -> None:
    Pool.objects.create(name="db", slots=1)
    graph: Graph = {"a": [], "b": [], "c": [], "d": [], "e": [], "f": []}
    details = {
        "a": {"pool": "db"},
        "b": {"pool": "db"},
        "c": {"depends_on_past": True},
        "d": {"retries": 1},
        "e": {"type": "approval", "subject": "Go?"},
    }
    dag = save_dag(graph, tasks=details, max_active_tasks=9)
    run = start_run(dag, logical_date=DAY)
    dispatch(run.pk, actor="dispatcher")
    perform(run, "d", failing("no"))
    end(begin(run, "e"), Outcome.deferred(None))
    begin(run, "f")
    assert sorted(states(run).values()) == [
        "deferred", "queued", "queued", "running", "up_for_retry", "waiting",
    ]  # fmt: skip
    row = DagRun.objects.select_related("dag", "version").get(pk=run.pk)
    why_run(row)
    with CaptureQueriesContext(connection) as queries:
        reasons = why_run(row).reasons
    assert reasons[-1].text == "1 other task is under way or could be"
    assert len(queries) <= 12, [query["sql"][:90] for query in queries]


def test_a_task_that_never_moved_waited(conveyor: Conveyor) -> None:
    run = start_run(save_dag({"a": [], "b": ["a"]}))
    assert not Transition.objects.filter(task_run=task(run, "b")).exists()
    assert why(run, "b", at=database_now())[0] == "`b` waits for `a`"
