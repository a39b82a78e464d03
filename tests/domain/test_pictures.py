"""Charts of runs: lanes, shares of waiting, critical paths, percentiles, days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from runs_app.domain.pictures.calendar import calendar
from runs_app.domain.pictures.durations import heights, percentile
from runs_app.domain.pictures.gantt import Part, Timed, Try, critical_path, gantt
from runs_app.domain.pictures.scale import Scale
from runs_app.domain.pictures.timeline import DagRuns, Span, timeline

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def timed(
    name: str, *upstream: int, ready: float | None = None, queued: float | None = None,
    tries: tuple[tuple[float, float | None], ...] = (), end: float | None = None,
) -> Timed:  # fmt: skip
    return Timed(
        name=name,
        state="success",
        upstream=upstream,
        ready_at=None if ready is None else at(ready),
        queued_at=None if queued is None else at(queued),
        tries=tuple(Try(at(a), None if b is None else at(b), "success") for a, b in tries),
        finished_at=None if end is None else at(end),
    )


def test_waiting_is_split_into_what_was_waited_for() -> None:
    first = timed("a", queued=0, tries=((1, 10),), end=10)
    second = timed("b", 0, ready=10, queued=14, tries=((15, 20),), end=20)
    row = gantt([first, second], began=START, until=at(20))[1]
    spent = {part: row.seconds(part) for part in Part}
    assert spent == {
        Part.UPSTREAM: 10, Part.LIMITS: 4, Part.QUEUE: 1, Part.RETRY: 0, Part.RUNNING: 5,
    }  # fmt: skip


def test_time_between_tries_is_told_apart() -> None:
    task = timed("a", queued=5, tries=((0, 2), (6, 8)), end=8)
    (row,) = gantt([task], began=START, until=at(8))
    assert (row.seconds(Part.RUNNING), row.seconds(Part.RETRY)) == (4, 4)


def test_what_still_waits_for_a_task_waits_until_now() -> None:
    first = timed("a", queued=0, tries=((0, None),))
    row = gantt([first, timed("b", 0)], began=START, until=at(30))[1]
    assert row.seconds(Part.UPSTREAM) == 30


def test_the_critical_path_is_what_the_end_hung_on() -> None:
    tasks = [
        timed("a", tries=((0, 5),), end=5),
        timed("b", tries=((0, 9),), end=9),
        timed("c", 0, 1, tries=((9, 12),), end=12),
        timed("d", 0, tries=((5, 6),), end=6),
    ]
    assert critical_path(tasks) == {1, 2}
    assert critical_path([timed("a")]) == set()


def test_runs_that_cannot_be_told_apart_share_a_bar() -> None:
    spans = [Span(f"r{place}", "success", place / 10, place / 10 + 0.01) for place in range(50)]
    (lane,) = timeline([DagRuns("often", 50, 0, spans)], slices={}, counts={}).lanes
    assert sum(bar.count for bar in lane.bars) == 50
    assert len(lane.bars) < 5


def test_a_failure_is_not_hidden_among_successes() -> None:
    spans = [
        Span("a", "success", 10, 10),
        Span("b", "failed", 10.5, 11),
        Span("c", "success", 11, 11),
    ]
    (lane,) = timeline([DagRuns("d", 3, 1, spans)], slices={}, counts={}).lanes
    assert [bar.state for bar in lane.bars] == ["success", "failed", "success"]


def test_every_bar_is_inside_and_wide_enough_to_be_hit() -> None:
    spans = [Span("a", "success", 0, 0.1), Span("b", "running", 999.9, 1000)]
    (lane,) = timeline([DagRuns("d", 2, 0, spans)], slices={}, counts={}).lanes
    assert all(bar.width >= 2 and 0 <= bar.x <= 1000 - bar.width for bar in lane.bars)


def test_the_stack_is_as_high_as_most_at_once() -> None:
    slices = {(0, "success"): 3, (0, "failed"): 1, (5, "running"): 2}
    chart = timeline([], slices=slices, counts={"success": 3, "failed": 1, "running": 2})
    assert chart.peak == 4
    assert [(block.state, block.y, block.height) for block in chart.blocks] == [
        ("failed", 3, 1), ("success", 0, 3), ("running", 2, 2),
    ]  # fmt: skip
    assert chart.counts == [("success", 3), ("running", 2), ("failed", 1)]


def test_ticks_are_round_times() -> None:
    scale = Scale(datetime(2026, 1, 1, 10, 7, tzinfo=UTC), datetime(2026, 1, 1, 16, 7, tzinfo=UTC))
    assert [f"{moment:%H:%M}" for _, moment in scale.ticks()] == [
        "11:00", "12:00", "13:00", "14:00", "15:00", "16:00",
    ]  # fmt: skip


def test_percentiles_are_values_that_occurred() -> None:
    values = [float(each) for each in range(1, 101)]
    assert (percentile(values, 0.5), percentile(values, 0.95)) == (50, 95)
    assert percentile([7.0], 0.95) == 7
    assert percentile([], 0.5) is None


def test_every_bar_can_be_seen() -> None:
    assert heights([100.0, 0.001, None], height=20) == [20, 1, 0]
    assert heights([], height=20) == []


def test_days_stand_in_weeks_that_begin_on_monday() -> None:
    counts = {date(2026, 1, 7): {"success": 1, "failed": 1}, date(2026, 1, 8): {"success": 30}}
    drawn = calendar(
        counts, first=date(2026, 1, 7), last=date(2026, 1, 9), planned={date(2026, 1, 9): 2}
    )
    assert [day.weekday for day in drawn.days] == [0, 1, 2, 3, 4]
    assert [day.shade for day in drawn.days] == ["", "", "f2", "s3", "planned"]
