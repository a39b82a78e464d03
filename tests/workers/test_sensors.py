"""Sensors: they look, sleep without a worker, and give up when their time is up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runs_app.domain.outcomes import Outcome, PokeReturnValue
from runs_app.domain.states import TaskState
from tests.workers.calls import Bench
from tests.workers.pages import Page, serving

FOUND: list[Any] = []


def look(*answers: Any) -> Any:
    return FOUND[-1] if FOUND else None


def later(minutes: int) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


@pytest.fixture
def bench() -> Bench:
    FOUND.clear()
    return Bench()


def poke(bench: Bench, **more: Any) -> Outcome:
    return bench.run("python_sensor", callable=f"{__name__}.look", **more)


# ------------------------------------------------------------------ sleeping and giving up


def test_what_is_not_there_is_looked_for_again(bench: Bench) -> None:
    outcome = poke(bench, poke_interval_seconds=7)
    assert outcome.state is TaskState.UP_FOR_RESCHEDULE
    assert outcome.wake_after == 7


def test_the_last_look_is_when_the_time_is_up(bench: Bench) -> None:
    outcome = poke(bench.about(waited_seconds=95.0), wait_timeout_seconds=100)
    assert outcome.wake_after == 5


def test_when_the_time_is_up_it_fails_for_good(bench: Bench) -> None:
    outcome = poke(bench.about(waited_seconds=100.0), wait_timeout_seconds=100)
    assert outcome.state is TaskState.FAILED
    assert (outcome.reason, outcome.may_retry) == ("sensor_timeout", False)
    assert "waited for 100 s" in outcome.message


def test_or_it_is_skipped(bench: Bench) -> None:
    late = bench.about(waited_seconds=100.0)
    outcome = poke(late, wait_timeout_seconds=100, soft_fail=True)
    assert outcome.state is TaskState.SKIPPED


def test_what_is_there_at_the_last_look_counts(bench: Bench) -> None:
    FOUND.append("rows")
    outcome = poke(bench.about(waited_seconds=200.0), wait_timeout_seconds=100)
    assert outcome == Outcome.success("rows")


# ------------------------------------------------------------------ a function


def test_a_functions_answer_is_the_output(bench: Bench) -> None:
    FOUND.append({"rows": 3})
    assert poke(bench) == Outcome.success({"rows": 3})


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (PokeReturnValue(is_done=True, xcom_value=0), TaskState.SUCCESS),
        (PokeReturnValue(is_done=False, xcom_value=5), TaskState.UP_FOR_RESCHEDULE),
    ],
)
def test_a_function_may_say_both_apart(
    bench: Bench, answer: PokeReturnValue, state: TaskState
) -> None:
    FOUND.append(answer)
    outcome = poke(bench)
    assert outcome.state is state
    assert outcome.output == (0 if answer.is_done else None)


async def later_true() -> bool:
    return True


def test_a_function_may_be_async(bench: Bench) -> None:
    outcome = bench.run("python_sensor", callable=f"{__name__}.later_true")
    assert outcome.state is TaskState.SUCCESS


# ------------------------------------------------------------------ files


def test_a_file_is_found_by_a_pattern(bench: Bench, tmp_path: Path) -> None:
    pattern = str(tmp_path / "**" / "*.csv")
    assert bench.run("file_sensor", path=pattern).state is TaskState.UP_FOR_RESCHEDULE
    (tmp_path / "day").mkdir()
    (tmp_path / "day" / "a.csv").write_text("1")
    assert bench.run("file_sensor", path=pattern).output == [str(tmp_path / "day" / "a.csv")]


def test_a_file_at_an_address(bench: Bench, tmp_path: Path) -> None:
    address = f"file://{tmp_path}/x*"
    assert bench.run("file_sensor", path=address).state is TaskState.UP_FOR_RESCHEDULE
    (tmp_path / "x1").write_text("1")
    assert bench.run("file_sensor", path=address).output == [f"file://{tmp_path}/x1"]


def test_an_address_that_nobody_knows_fails_for_good(bench: Bench) -> None:
    outcome = bench.run("file_sensor", path="nowhere://x")
    assert (outcome.reason, outcome.may_retry) == ("bad_path", False)


# ------------------------------------------------------------------ http


def test_an_answer_as_expected(bench: Bench, settings: Any) -> None:
    settings.SKYTRAIL_HTTP_ALLOWED = ["127.0.0.1"]
    with serving() as site:
        site.pages["/done"] = Page(
            body=b'{"state": "done"}', headers={"Content-Type": "application/json"}
        )
        site.pages["/missing"] = Page(status=404)
        there = bench.run("http_sensor", uri=site.url("/done"))
        assert there.output["json"] == {"state": "done"}
        missing = bench.run("http_sensor", uri=site.url("/missing"))
        assert missing.state is TaskState.UP_FOR_RESCHEDULE
        condition = '{{ response.json.state == "ready" }}'
        waiting = bench.run("http_sensor", uri=site.url("/done"), condition=condition)
        assert waiting.state is TaskState.UP_FOR_RESCHEDULE
        condition = '{{ response.json.state == "done" }}'
        ready = bench.run("http_sensor", uri=site.url("/done"), condition=condition)
        assert ready.state is TaskState.SUCCESS
        broken = bench.run("http_sensor", uri=site.url("/done"), condition="{{ response.x.y }}")
        assert (broken.state, broken.reason) == (TaskState.FAILED, "bad_template")


def test_nobody_there_yet_is_no_failure(bench: Bench, settings: Any) -> None:
    settings.SKYTRAIL_HTTP_ALLOWED = ["127.0.0.1"]
    outcome = bench.run("http_sensor", uri="http://127.0.0.1:1/")
    assert outcome.state is TaskState.UP_FOR_RESCHEDULE


# ------------------------------------------------------------------ time


def test_a_time_to_come_is_slept_until(bench: Bench) -> None:
    outcome = bench.run("time_sensor", until=later(10))
    assert outcome.state is TaskState.DEFERRED
    assert outcome.wake_after is not None
    assert 590 < outcome.wake_after <= 600


def test_a_delay_counts_from_the_end_of_the_interval(bench: Bench) -> None:
    now = datetime.now(UTC)
    ended = bench.about(data_interval_end=now - timedelta(hours=2))
    assert ended.run("time_sensor", delay_seconds=3600).state is TaskState.SUCCESS
    assert ended.run("time_sensor", delay_seconds=10_800).state is TaskState.DEFERRED


@pytest.mark.parametrize("until", ["tomorrow", "2026-01-31T09:00:00", "2026-02-30T09:00:00Z"])
def test_what_is_no_time_fails_for_good(bench: Bench, until: str) -> None:
    outcome = bench.run("time_sensor", until=until)
    assert (outcome.reason, outcome.may_retry) == ("bad_time", False)
