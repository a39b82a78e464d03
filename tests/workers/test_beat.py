"""Beat goes on while the database is away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis
from django.conf import settings as django_settings
from django.db import connection
from django_celery_beat.models import PeriodicTask, PeriodicTasks

from skytrail.celery import app
from tests.troubled_broker import TroubledBroker, troubled_broker
from workers import beat, names, ticks
from workers.beat import Scheduler
from workers.broker.line import Line

pytestmark = pytest.mark.usefixtures("committing")


@pytest.fixture
def messages() -> Iterator[redis.Redis]:
    """The broker, empty before and after."""
    with redis.Redis.from_url(django_settings.SKYTRAIL_REDIS_URL) as broker:
        broker.flushdb()
        yield broker
        broker.flushdb()


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Nobody listens where the database was; `undo()` brings it back."""
    with monkeypatch.context() as patch:
        connection.close()
        patch.setitem(connection.settings_dict, "PORT", "1")
        yield patch
    connection.close()


def started() -> Scheduler:
    """Beat's, without what it would do when this process ends."""
    made = Scheduler(app=app)
    made._finalize.cancel()
    return made


@pytest.fixture
def scheduler(messages: redis.Redis) -> Iterator[Scheduler]:
    """One that has read its rows and sent what was due."""
    made = started()
    tick(made)
    yield made
    made._dirty.clear()
    made.close()


def tick(scheduler: Scheduler) -> float:
    """Sends what is due; for how many seconds nothing will be. There has to be an end to it."""
    for _ in range(50):
        if (pause := scheduler.tick()) > 0:
            return float(pause)
    pytest.fail("beat does not come to rest")


def sent(messages: redis.Redis) -> int:
    return sum(int(messages.llen(key)) for key in messages.keys(f"{names.DISPATCH_QUEUE}*"))


def later(scheduler: Scheduler, seconds: float) -> None:
    """As if so much time had gone by."""
    for entry in scheduler._schedule.values():
        entry.model.last_run_at -= timedelta(seconds=seconds)
    scheduler._last_full_sync -= timedelta(seconds=seconds)
    scheduler._heap = None


def test_what_is_due_is_sent_from_memory(
    scheduler: Scheduler,
    messages: redis.Redis,
    request: pytest.FixtureRequest,
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = sent(messages)
    request.getfixturevalue("away")
    for _ in range(4):
        later(scheduler, 300)
        assert tick(scheduler) <= 5
    assert before < sent(messages) <= before + 4 * len(ticks.JOBS)
    (said,) = [record for record in caplog.records if record.name == "workers.beat"]
    assert said.getMessage().startswith("beat goes by what it knows while the database is in")


def test_with_the_database_changes_of_the_rows_are_heard_of_again(
    scheduler: Scheduler, away: pytest.MonkeyPatch
) -> None:
    later(scheduler, 300)
    tick(scheduler)
    away.undo()
    job = PeriodicTask.objects.get(task=ticks.WAKE.task)
    job.enabled = False
    job.save()
    try:
        later(scheduler, 300)
        tick(scheduler)
        assert job.name not in scheduler.schedule
    finally:
        job.enabled = True
        job.save()


def test_it_starts_without_a_database_and_reads_the_rows_as_soon_as_it_can(
    messages: redis.Redis, away: pytest.MonkeyPatch
) -> None:
    scheduler = started()
    assert scheduler.schedule == {}
    assert 0 < tick(scheduler) <= 5
    away.undo()
    later(scheduler, 5)
    tick(scheduler)
    assert {entry.task for entry in scheduler.schedule.values()} >= {job.task for job in ticks.JOBS}


def test_a_database_that_takes_no_changes_is_no_reason_to_end(
    scheduler: Scheduler, messages: redis.Redis
) -> None:
    before = sent(messages)
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    later(scheduler, 300)
    tick(scheduler)
    scheduler.sync()
    assert sent(messages) > before
    connection.close()


def test_a_change_is_heard_of_once(scheduler: Scheduler) -> None:
    PeriodicTasks.update_changed()
    heard = [scheduler.schedule_changed() for _ in range(3)]
    assert heard == [True, False, False]


# ---------------------------------------------------- and while Redis is away


@pytest.fixture(scope="module")
def broker() -> Iterator[TroubledBroker]:
    with troubled_broker() as broker:
        yield broker


@pytest.fixture
def over_it(broker: TroubledBroker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scheduler]:
    """Beat over a broker that gets into trouble, after its first messages."""
    broker.forget()
    monkeypatch.setattr(beat, "line", Line())
    monkeypatch.setattr("workers.broker.line.PAUSE", 0.0)
    made = Scheduler(app=broker.application())
    made._finalize.cancel()
    tick(made)
    yield made
    made._dirty.clear()
    made.close()


@pytest.mark.parametrize("trouble", ["gone", "read-only", "stalled"])
def test_what_cannot_be_sent_ends_no_beat_and_the_next_is_sent(
    trouble: str, over_it: Scheduler, broker: TroubledBroker, caplog: pytest.LogCaptureFixture
) -> None:
    (entry,) = [entry for name, entry in over_it.schedule.items() if name.endswith(": wake")]
    suffers = {
        "gone": broker.gone,
        "read-only": broker.read_only,
        "stalled": broker.stalled,
    }[trouble]
    with suffers():
        began = time.monotonic()
        over_it.apply_entry(entry)
        assert time.monotonic() - began < 4
    assert "Redis does not take messages" in caplog.text
    assert "Traceback" not in caplog.text
    broker.forget()
    over_it.apply_entry(entry)
    over_it.apply_entry(entry)
    assert broker.client.llen(f"{names.DISPATCH_QUEUE}\x06\x165") == 2


def test_an_entry_that_cannot_be_sent_for_its_own_sake_ends_no_beat_either(
    over_it: Scheduler, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    entry = next(iter(over_it.schedule.values()))
    monkeypatch.setattr(entry, "args", [object()])
    over_it.apply_entry(entry)
    assert f"could not send {entry.name}" in caplog.text
