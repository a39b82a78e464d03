"""What a schedule will do, asked before it does it; and what it has passed over."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from dags_app.actions.pausing import pause, resume
from dags_app.models import Dag
from runs_app.actions.scheduling import tick
from runs_app.models import DagRun, SkippedTick
from skytrail.database.clock import database_now
from tests.api.checking import CheckedClient
from tests.api.stories import problems_of, story


def late(dag: Dag, **ago: float) -> None:
    """The DAG's last run was for a time so long ago."""
    last = (database_now() - timedelta(**ago)).replace(second=0, microsecond=0)
    Dag.objects.filter(pk=dag.pk).update(last_logical_date=last, next_run_at=last)


def test_the_next_runs_are_shown_on_the_dags_own_clock(as_bob: CheckedClient) -> None:
    story(cron="30 6 * * *", timezone="Asia/Kathmandu")
    shown = as_bob.get("dags/story/next-runs?count=3").json()
    assert (shown["timezone"], shown["is_paused"]) == ("Asia/Kathmandu", False)
    runs = shown["runs"]
    assert [run["local_date"][10:] for run in runs] == ["T06:30:00+05:45"] * 3
    assert [run["data_interval_end"] for run in runs] == [run["logical_date"] for run in runs]
    for one, following in pairwise(runs):
        assert following["data_interval_start"] == one["logical_date"]


def test_they_are_those_that_the_schedule_makes(as_bob: CheckedClient) -> None:
    dag = story(cron="*/5 * * * *", catchup=True)
    late(dag, hours=1)
    Dag.objects.filter(pk=dag.pk).update(end_date=database_now())
    shown = as_bob.get("dags/story/next-runs?count=100").json()["runs"]
    tick()
    made = DagRun.objects.filter(dag=dag).order_by("logical_date")
    assert [datetime.fromisoformat(run["logical_date"]) for run in shown] == [
        run.logical_date for run in made
    ]


def test_five_are_shown_unless_more_are_asked_for(as_bob: CheckedClient) -> None:
    story(cron="@daily")
    assert len(as_bob.get("dags/story/next-runs").json()["runs"]) == 5
    for count in ("0", "101", "x"):
        answer = as_bob.get(f"dags/story/next-runs?count={count}")
        assert problems_of(answer).keys() == {"count"}


def test_what_the_clock_has_no_part_in_has_no_next_runs(as_bob: CheckedClient) -> None:
    for schedule in (None, {"assets": ["orders"]}):
        story(schedule=schedule)
        assert as_bob.get("dags/story/next-runs").json()["runs"] == []


def test_resuming_with_catchup_says_how_many_runs_and_which(as_bob: CheckedClient) -> None:
    dag = story(cron="*/10 * * * *", catchup=True)
    pause(dag)
    late(dag, days=1)
    preview = as_bob.get("dags/story/resume-preview").json()
    assert preview["is_paused"]
    assert preview["count"] == 144
    assert not preview["is_more"]
    assert len(preview["runs"]) == 100
    resume(dag)
    Dag.objects.filter(pk=dag.pk).update(end_date=database_now())
    tick()
    tick()
    made = DagRun.objects.filter(dag=dag).order_by("logical_date")
    assert len(made) == 144
    assert [datetime.fromisoformat(run["logical_date"]) for run in preview["runs"]] == [
        run.logical_date for run in made[:100]
    ]


def test_resuming_without_catchup_starts_nothing_for_the_past(as_bob: CheckedClient) -> None:
    dag = story(cron="*/10 * * * *")
    pause(dag)
    late(dag, days=1)
    preview = as_bob.get("dags/story/resume-preview").json()
    assert (preview["count"], preview["runs"]) == (0, [])
    resume(dag)
    dag.refresh_from_db()
    assert dag.next_run_at is not None
    assert datetime.fromisoformat(preview["next_run_at"]) == dag.next_run_at


def test_a_preview_knows_the_window_and_the_overlap_policy(as_bob: CheckedClient) -> None:
    dag = story(
        cron="* * * * *", catchup=True, catchup_window_seconds=1800, overlap_policy="buffer_one"
    )
    pause(dag)
    late(dag, days=1)
    preview = as_bob.get("dags/story/resume-preview").json()
    assert preview["count"] == 2
    assert preview["passed_over"] in {27, 28, 29}


def test_a_year_of_minutes_is_not_counted_to_its_end(as_bob: CheckedClient) -> None:
    dag = story(cron="* * * * *", catchup=True)
    pause(dag)
    late(dag, days=365)
    preview = as_bob.get("dags/story/resume-preview").json()
    assert (preview["count"], preview["is_more"]) == (10_000, True)


def test_resuming_what_is_not_paused_changes_nothing(as_bob: CheckedClient) -> None:
    story(cron="@daily")
    preview = as_bob.get("dags/story/resume-preview").json()
    assert (preview["is_paused"], preview["count"]) == (False, 0)


def test_ticks_that_were_passed_over_are_listed_newest_first(as_bob: CheckedClient) -> None:
    dag = story(cron="* * * * *", overlap_policy="skip", catchup=True)
    late(dag, minutes=5)
    tick()
    shown = as_bob.get("dags/story/skipped-ticks").json()["results"]
    assert len(shown) == SkippedTick.objects.count() > 0
    dates = [each["logical_date"] for each in shown]
    assert dates == sorted(dates, reverse=True)
    assert {each["reason"] for each in shown} == {"a run had not ended"}


def test_every_kind_of_schedule_is_shown_in_its_form_and_in_words(as_alice: CheckedClient) -> None:
    story(schedule=["0 9 * * *", "@daily"], overlap_policy="skip", catchup_window_seconds=60)
    shown = as_alice.get("dags/story").json()
    assert shown["schedule"] == {"cron": ["0 0 * * *", "0 9 * * *"]}
    assert shown["timetable_summary"] == "0 0 * * * | 0 9 * * *"
    assert (shown["cron"], shown["interval_seconds"]) == (None, None)
    assert (shown["overlap_policy"], shown["catchup_window_seconds"]) == ("skip", 60)
    shown = as_alice.patch("dags/story", {"schedule": {"interval_seconds": 60}}).json()
    assert (shown["cron"], shown["interval_seconds"]) == (None, 60)
