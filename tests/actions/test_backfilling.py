"""Making up for a stretch of a schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dags_app.actions.deletion import delete
from dags_app.domain.timing.catchup import due
from dags_app.models import Dag
from runs_app.actions import backfilling, retention
from runs_app.actions.backfilling import BackfillRequest, BadBackfill, advance
from runs_app.actions.scheduling import tick
from runs_app.domain.backfills import Reprocess
from runs_app.models import Backfill, BackfillRun, DagRun, SkippedTick, Transition
from skytrail.database.clock import database_now
from tests.conveyor import Conveyor, ends, failing
from tests.factories import save_dag, start_run, states
from tests.races.together import by_many

pytestmark = pytest.mark.usefixtures("committing")

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")
ROW = {"extract": [], "load": ["extract"]}


def dag_of(**fields: Any) -> Dag:
    return save_dag(ROW, **{"cron": "@daily", **fields})


def asked(days: int = 5, **fields: Any) -> BackfillRequest:
    return BackfillRequest(from_date=FIRST, to_date=FIRST + (days - 1) * DAY, **fields)


def make(dag: Dag, request: BackfillRequest | None = None) -> Backfill:
    return backfilling.create(dag, request or asked(), actor="user:alice")


def treated(backfill: Backfill) -> dict[int, str]:
    """What each day of January came to, in the order in which they were seen to."""
    entries = BackfillRun.objects.filter(backfill=backfill).order_by("id")
    return {entry.logical_date.day: entry.treatment for entry in entries}


def go_through(backfill: Backfill, conveyor: Conveyor) -> Backfill:
    """Ticks, and workers between them, until it is over."""
    for _ in range(50):
        advance()
        conveyor.run()
        backfill.refresh_from_db()
        if backfill.finished_at is not None:
            return backfill
    raise AssertionError("it does not come to its end")


def test_each_date_gets_a_run_with_its_interval(conveyor: Conveyor) -> None:
    dag = dag_of()
    done = go_through(make(dag), conveyor)
    assert (done.state, done.dates) == ("completed", 5)
    runs = DagRun.objects.filter(dag=dag).order_by("logical_date")
    assert [run.logical_date for run in runs] == [FIRST + number * DAY for number in range(5)]
    for run in runs:
        assert run.logical_date is not None
        assert (run.run_type, run.state, run.triggered_by) == ("backfill", "success", "user:alice")
        assert run.run_id == f"backfill__{run.logical_date.isoformat()}"
        assert run.data_interval_start == run.logical_date - DAY
        assert run.data_interval_end == run.logical_date


def test_its_dates_are_those_of_the_schedule_at_the_turn_of_the_clock(conveyor: Conveyor) -> None:
    dag = dag_of(cron="30 2 * * *", timezone="Europe/Berlin")
    request = BackfillRequest(
        from_date=datetime(2026, 3, 28, tzinfo=BERLIN), to_date=datetime(2026, 3, 31, tzinfo=BERLIN)
    )
    planned = [each.logical_date for each in backfilling.plan(dag, request).dates]
    timetable = dag.timetable
    assert timetable is not None
    ticked = due(
        timetable,
        next_run_at=datetime(2026, 3, 27, 23, tzinfo=UTC),
        now=datetime(2026, 3, 30, 22, tzinfo=UTC),
        catchup=True,
        end_date=None,
        limit=100,
    )
    assert planned == [each.logical_date for each in ticked.ticks]
    assert [date.hour for date in planned] == [1, 1, 0]  # 02:30, then 03:00 for the missing 02:30
    go_through(make(dag, request), conveyor)
    assert set(DagRun.objects.values_list("logical_date", flat=True)) == set(planned)


def test_no_more_run_at_once_than_it_may(conveyor: Conveyor) -> None:
    dag = dag_of()
    backfill = make(dag, asked(max_active_runs=2))
    advance()
    advance()
    assert DagRun.objects.filter(dag=dag, state="running").count() == 2
    assert DagRun.objects.count() == 2
    conveyor.run()
    advance()
    assert DagRun.objects.count() == 4
    assert go_through(backfill, conveyor).state == "completed"


def test_it_takes_only_the_room_that_its_dag_has(conveyor: Conveyor) -> None:
    dag = dag_of(max_active_runs=3)
    by_hand = start_run(dag)
    make(dag)
    advance()
    assert DagRun.objects.filter(run_type="backfill").count() == 2
    assert not DagRun.objects.filter(state="queued").exists()
    by_hand.refresh_from_db()
    assert by_hand.state == "running"


def test_the_newest_first(conveyor: Conveyor) -> None:
    dag = dag_of()
    backfill = make(dag, asked(max_active_runs=1, run_backwards=True))
    advance()
    assert DagRun.objects.get().logical_date == FIRST + 4 * DAY
    go_through(backfill, conveyor)
    assert list(treated(backfill)) == [5, 4, 3, 2, 1]
    created = DagRun.objects.order_by("queued_at").values_list("logical_date", flat=True)
    assert list(created) == [FIRST + number * DAY for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize(
    ("reprocess", "again"),
    [(Reprocess.NONE, set()), (Reprocess.FAILED, {2}), (Reprocess.COMPLETED, {2, 3})],
)
def test_runs_that_are_there_are_run_again_as_it_is_asked_for(
    conveyor: Conveyor, reprocess: Reprocess, again: set[int]
) -> None:
    dag = dag_of()
    conveyor.script = ends(load=failing())
    go_through(make(dag, BackfillRequest(from_date=FIRST + DAY, to_date=FIRST + DAY)), conveyor)
    conveyor.script = ends()
    go_through(
        make(dag, BackfillRequest(from_date=FIRST + 2 * DAY, to_date=FIRST + 2 * DAY)), conveyor
    )
    conveyor.started.clear()
    request = asked(4, reprocess_behavior=reprocess)
    planned = {
        each.logical_date.day: each.treatment for each in backfilling.plan(dag, request).dates
    }
    backfill = go_through(make(dag, request), conveyor)
    expected = {1: "created", 2: "passed_over", 3: "passed_over", 4: "created"}
    expected |= dict.fromkeys(again, "rerun")
    assert treated(backfill) == planned == expected
    assert DagRun.objects.count() == 4
    assert len(conveyor.started) == 2 * (2 + len(again))
    second = DagRun.objects.get(logical_date=FIRST + DAY)
    assert second.state == ("success" if 2 in again else "failed")


def test_a_scheduled_run_is_not_doubled(conveyor: Conveyor) -> None:
    dag = dag_of(catchup=True)
    Dag.objects.filter(pk=dag.pk).update(next_run_at=FIRST, end_date=FIRST + DAY)
    tick()
    conveyor.run()
    Dag.objects.filter(pk=dag.pk).update(end_date=None)
    dag.refresh_from_db()
    backfill = go_through(make(dag, asked(3)), conveyor)
    assert treated(backfill) == {1: "passed_over", 2: "passed_over", 3: "created"}
    types = DagRun.objects.order_by("logical_date").values_list("run_type", flat=True)
    assert list(types) == ["scheduled", "scheduled", "backfill"]


def test_only_some_tasks_run_and_the_others_are_left_out(conveyor: Conveyor) -> None:
    dag = save_dag({"a": [], "b": ["a"], "c": ["b"], "d": []}, cron="@daily")
    go_through(make(dag, asked(1, task_ids=["c", "d"])), conveyor)
    run = DagRun.objects.get()
    assert states(run) == {"a": "removed", "b": "removed", "c": "success", "d": "success"}
    assert run.state == "success"
    assert sorted(name for name, _ in conveyor.started) == ["c", "d"]
    moves = Transition.objects.filter(run=run, to_state="removed")
    assert {(move.from_state, move.reason) for move in moves} == {("waiting", "left out")}


def test_a_task_comes_with_its_setup_and_teardown_in_new_runs_and_in_old_ones(
    conveyor: Conveyor,
) -> None:
    graph = {"before": [], "make": [], "work": ["make", "before"], "drop": ["make", "work"]}
    marks = {"make": {"setup": True}, "drop": {"teardown": True}}
    dag = save_dag(graph, tasks=marks, cron="@daily")
    for behavior in (Reprocess.NONE, Reprocess.COMPLETED):
        go_through(make(dag, asked(1, task_ids=["work"], reprocess_behavior=behavior)), conveyor)
        assert sorted(name for name, _ in conveyor.started) == ["drop", "make", "work"]
        assert states(DagRun.objects.get())["before"] == "removed"
        conveyor.started.clear()


def test_of_runs_that_are_there_only_the_chosen_tasks_are_run_again(conveyor: Conveyor) -> None:
    dag = dag_of()
    go_through(make(dag, asked(2)), conveyor)
    conveyor.started.clear()
    request = asked(2, task_ids=["extract"], reprocess_behavior=Reprocess.COMPLETED)
    go_through(make(dag, request), conveyor)
    assert [name for name, _ in conveyor.started] == ["extract", "extract"]


def test_its_runs_have_its_conf(conveyor: Conveyor) -> None:
    dag = dag_of(params={"size": 1, "colour": "red"})
    go_through(make(dag, asked(1, conf={"size": 7})), conveyor)
    assert DagRun.objects.get().conf == {"size": 7, "colour": "red"}


def test_paused_it_creates_nothing_and_resumed_it_goes_on(conveyor: Conveyor) -> None:
    dag = dag_of()
    backfill = make(dag, asked(max_active_runs=2))
    advance()
    backfilling.pause(backfill)
    conveyor.run()
    assert advance() == 0
    assert DagRun.objects.count() == 2
    backfilling.resume(backfill)
    assert go_through(backfill, conveyor).state == "completed"
    assert DagRun.objects.count() == 5


def test_cancelled_it_stops_its_runs_and_no_others(conveyor: Conveyor) -> None:
    dag = dag_of()
    by_hand = start_run(dag)
    backfill = make(dag, asked(max_active_runs=2))
    advance()
    cancelled = backfilling.cancel(backfill, actor="user:bob")
    assert (cancelled.state, cancelled.finished_at is not None) == ("cancelled", True)
    assert set(DagRun.objects.filter(run_type="backfill").values_list("state", flat=True)) == {
        "cancelled"
    }
    by_hand.refresh_from_db()
    assert by_hand.state == "running"
    assert advance() == 0
    for verb in (backfilling.pause, backfilling.resume):
        with pytest.raises(backfilling.BackfillHasEnded, match="cancelled"):
            verb(backfill)


def test_a_dag_has_one_at_a_time(conveyor: Conveyor) -> None:
    dag = dag_of()
    backfill = make(dag)
    with pytest.raises(backfilling.BackfillUnderWay, match="under way already"):
        make(dag)
    go_through(backfill, conveyor)
    make(dag)


def test_a_year_of_minutes_is_done_a_few_at_a_time() -> None:
    dag = dag_of(cron="* * * * *")
    end = database_now() - DAY
    request = BackfillRequest(from_date=end - 365 * DAY, to_date=end, max_active_runs=8)
    assert backfilling.plan(dag, request).is_more
    backfill = make(dag, request)
    assert backfill.dates is None
    for _ in range(3):
        advance()
    assert DagRun.objects.count() == 8
    assert BackfillRun.objects.count() == 8


def test_many_that_are_passed_over_are_passed_over_quickly(conveyor: Conveyor) -> None:
    dag = dag_of(cron="0 */2 * * *", max_active_runs=1000)
    request = asked(3, max_active_runs=1000)
    go_through(make(dag, request), conveyor)
    again = make(dag, request)
    advance()
    again.refresh_from_db()
    assert again.state == "completed"
    assert set(treated(again).values()) == {"passed_over"}


def test_what_becomes_of_the_dag_meanwhile_changes_none_of_its_dates(conveyor: Conveyor) -> None:
    dag = dag_of()
    backfill = make(dag, asked(max_active_runs=2))
    advance()
    conveyor.run()
    save_dag(ROW, cron="0 5 * * *")
    go_through(backfill, conveyor)
    hours = {run.logical_date.hour for run in DagRun.objects.all() if run.logical_date}
    assert hours == {0}


def test_a_deleted_dag_is_not_made_up_for(conveyor: Conveyor) -> None:
    dag = dag_of()
    backfill = make(dag)
    delete(dag)
    advance()
    backfill.refresh_from_db()
    assert backfill.state == "cancelled"
    assert not DagRun.objects.exists()


def test_two_ticks_at_once_create_no_run_twice_and_keep_its_limit(conveyor: Conveyor) -> None:
    dag = dag_of()
    backfill = make(dag, asked(max_active_runs=2))
    for _ in range(3):
        by_many(3, advance)
        assert DagRun.objects.filter(dag=dag, state="running").count() <= 2
        conveyor.run()
    go_through(backfill, conveyor)
    assert DagRun.objects.count() == BackfillRun.objects.count() == 5


@pytest.mark.parametrize(
    ("fields", "request_", "path", "code"),
    [
        ({"cron": None}, asked(), "dag_id", "no_dates"),
        ({"cron": "@continuous"}, asked(), "dag_id", "no_dates"),
        ({"cron": {"assets": ["a"]}}, asked(), "dag_id", "no_dates"),
        ({}, asked(0), "to_date", "ends_before_start"),
        ({}, BackfillRequest(from_date=FIRST, to_date=FIRST + 9999 * DAY), "to_date", "in_future"),
        ({"cron": "0 0 30 1 *"}, asked(), "from_date", "no_dates"),
        ({"start_date": "2026-02-01"}, asked(), "from_date", "no_dates"),
        ({}, asked(task_ids=["lod"]), "task_ids[0]", "unknown_task"),
        ({}, asked(task_ids=[]), "task_ids", "too_short"),
    ],
)
def test_what_makes_no_sense_is_refused(
    fields: dict[str, Any], request_: BackfillRequest, path: str, code: str
) -> None:
    dag = dag_of(**fields)
    for verb in (backfilling.plan, make):
        with pytest.raises(BadBackfill) as refused:
            verb(dag, request_)
        assert [(each.path, each.code) for each in refused.value.problems] == [(path, code)]
    assert not Backfill.objects.exists()


def test_what_waits_for_the_run_before_is_not_done_backwards() -> None:
    dag = save_dag(ROW, cron="@daily", tasks={"load": {"depends_on_past": True}})
    with pytest.raises(BadBackfill) as refused:
        make(dag, asked(run_backwards=True))
    assert [each.path for each in refused.value.problems] == ["run_backwards"]
    make(dag)


def test_what_is_over_is_forgotten_after_its_time(conveyor: Conveyor) -> None:
    dag = dag_of()
    over = go_through(make(dag), conveyor)
    make(dag)
    Backfill.objects.filter(pk=over.pk).update(finished_at=database_now() - 40 * DAY)
    DagRun.objects.filter(dag=dag).update(finished_at=database_now() - 40 * DAY)
    SkippedTick.objects.create(dag=dag, logical_date=FIRST, at=database_now() - 40 * DAY)
    retention.prune(keep=30 * DAY)
    assert list(Backfill.objects.values_list("state", flat=True)) == ["running"]
    assert not BackfillRun.objects.exists()
    assert not DagRun.objects.exists()
    assert not SkippedTick.objects.exists()


def test_a_run_that_is_forgotten_leaves_the_backfill_as_it_is(conveyor: Conveyor) -> None:
    dag = dag_of()
    over = go_through(make(dag), conveyor)
    DagRun.objects.filter(dag=dag).update(finished_at=database_now() - 40 * DAY)
    retention.prune(keep=30 * DAY)
    assert treated(over) == dict.fromkeys(range(1, 6), "created")
