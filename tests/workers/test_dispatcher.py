"""Publishing to a real Redis, well and in trouble."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.db import DatabaseError

from runs_app.actions.consigning import mark_unsent
from runs_app.dispatching import Consignment, Ticket
from runs_app.models import DagRun, TaskRun
from tests.doubles import RecordingDispatcher
from tests.factories import save_dag, start_run
from tests.troubled_broker import TroubledBroker, troubled_broker
from workers import names, ticks
from workers.broker import dispatcher as module
from workers.broker import line as lines
from workers.broker.application import Application
from workers.broker.dispatcher import CeleryDispatcher
from workers.broker.line import Line

pytestmark = pytest.mark.usefixtures("db")

#: What a request may spend on a broker that does not answer. REST has six seconds in all.
SOON = 4.0

Trouble = Callable[[TroubledBroker], AbstractContextManager[None]]

TROUBLES: dict[str, Trouble] = {
    "stalled": TroubledBroker.stalled,
    "full": TroubledBroker.full,
    "read-only": TroubledBroker.read_only,
}


@pytest.fixture(scope="module")
def broker() -> Iterator[TroubledBroker]:
    with troubled_broker() as broker:
        yield broker


@pytest.fixture
def app(broker: TroubledBroker) -> Iterator[Application]:
    """The Celery application as web has it, with this broker."""
    broker.forget()
    app = broker.application()
    yield app
    app.close()


@pytest.fixture
def carrier(app: Application) -> CeleryDispatcher:
    """The dispatcher of a process that has sent before, over connections that stay open."""
    carrier = CeleryDispatcher(Line())
    carrier.__dict__["app"] = app
    carrier.queue_depth("default")
    return carrier


@pytest.fixture
def fan(dispatcher: RecordingDispatcher, django_capture_on_commit_callbacks: Any) -> Consignment:
    """Three tasks side by side and one after them, queued and not yet sent."""
    with django_capture_on_commit_callbacks(execute=True):
        start_run(save_dag({"a": [], "b": [], "c": [], "after": ["a", "b", "c"]}))
    (consignment,) = dispatcher.consignments
    return consignment


def alone(consignment: Consignment, position: int) -> Consignment:
    """One step of it as a block of its own."""
    (block,) = consignment.blocks
    cut = type(block)(stretches=((position,),), towards=block.towards)
    return Consignment(consignment.run_pk, [cut], {position: consignment.tickets[position]})


def unsent() -> set[str]:
    """The tasks of which is noted that nobody has sent them."""
    rows = TaskRun.objects.filter(state="queued", published_at=None)
    return set(rows.values_list("task_id", flat=True))


def messages(broker: TroubledBroker, queue: str = "default") -> list[dict[str, Any]]:
    """The headers of what waits with normal priority."""
    found = broker.client.lrange(f"{queue}\x06\x165", 0, -1)
    assert isinstance(found, list)
    return [json.loads(message)["headers"] for message in found]


def test_what_is_published_waits_in_redis(
    carrier: CeleryDispatcher, fan: Consignment, broker: TroubledBroker
) -> None:
    carrier.publish([fan])
    assert [header["task"] for header in messages(broker)] == [names.RUN] * 3
    assert unsent() == set()


def test_whoever_sends_a_fan_listens_to_no_results(
    carrier: CeleryDispatcher, fan: Consignment, broker: TroubledBroker
) -> None:
    carrier.publish([fan])
    carrier.request_dispatch(fan.run_pk)
    assert broker.client.pubsub_channels() == []


@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_cannot_be_sent_is_noted_and_nobody_waits_for_long(
    trouble: str, carrier: CeleryDispatcher, fan: Consignment, broker: TroubledBroker
) -> None:
    began = time.monotonic()
    with TROUBLES[trouble](broker):
        carrier.publish([fan])
        carrier.request_dispatch(fan.run_pk)
        carrier.call_in(["worker@here"])
        carrier.publish([alone(fan, 0), alone(fan, 1)])
        carrier.queue_depth("default")
        took = time.monotonic() - began
    assert took < SOON
    assert unsent() == {"a", "b", "c"}
    assert DagRun.objects.get().planned_at is None, "recovery is to plan it"


def test_a_broker_that_is_gone_is_no_error_either(
    carrier: CeleryDispatcher, fan: Consignment, broker: TroubledBroker
) -> None:
    broker.stop()
    try:
        carrier.publish([fan])
        assert unsent() == {"a", "b", "c"}
        assert carrier.queue_depth("default") is None
    finally:
        broker.start()


def test_workers_are_called_in_over_a_connection_that_has_died(
    carrier: CeleryDispatcher, broker: TroubledBroker
) -> None:
    carrier.call_in(["worker@here"])
    broker.stop()
    try:
        began = time.monotonic()
        carrier.call_in(["worker@here"])
        assert time.monotonic() - began < SOON, "Celery would try for as long as it takes"
    finally:
        broker.start()


@pytest.mark.parametrize("cut", ["restarted", "connections cut"])
def test_after_a_cut_the_first_message_gets_through(
    cut: str, carrier: CeleryDispatcher, fan: Consignment, broker: TroubledBroker
) -> None:
    carrier.publish([fan])
    if cut == "restarted":
        broker.stop()
        broker.start()
    else:
        broker.cut_connections()
    broker.forget()
    carrier.publish([fan])
    assert len(messages(broker)) == 3
    assert unsent() == set()


def test_after_a_failure_nothing_is_tried_for_a_moment(
    broker: TroubledBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line()
    tried: list[str] = []

    def fails() -> None:
        tried.append("fails")
        raise OSError

    for _ in range(3):
        with pytest.raises(lines.BrokerAway):
            line.over(fails)
    assert tried == ["fails"]
    monkeypatch.setattr(lines, "PAUSE", 0.0)
    line = Line()
    with pytest.raises(lines.BrokerAway):
        line.over(fails)
    assert line.over(lambda: "well again") == "well again"


def test_only_what_is_still_queued_with_its_epoch_is_noted_as_unsent(fan: Consignment) -> None:
    tickets = {ticket.label.split(".")[1]: ticket for ticket in fan.tickets.values()}
    TaskRun.objects.filter(task_id="b").update(epoch=2)
    TaskRun.objects.filter(task_id="c").update(state="cancelled", finished_at="2026-01-01T00:00Z")
    mark_unsent(tickets.values())
    assert unsent() == {"a"}


def test_what_was_not_sent_does_not_count_as_sent(fan: Consignment) -> None:
    assert set(TaskRun.objects.filter(state="queued").values_list("publish_count")) == {(1,)}
    mark_unsent(fan.tickets.values())
    mark_unsent(fan.tickets.values())
    assert set(TaskRun.objects.filter(state="queued").values_list("publish_count")) == {(0,)}


def test_a_database_that_is_away_too_stops_nobody(
    carrier: CeleryDispatcher,
    fan: Consignment,
    broker: TroubledBroker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def away(_: list[Ticket]) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(module, "mark_unsent", away)
    with broker.full():
        carrier.publish([fan])
    assert "could not note what was not sent: gone" in caplog.text


def test_a_queue_is_as_long_as_all_its_priorities(
    carrier: CeleryDispatcher, fan: Consignment, broker: TroubledBroker
) -> None:
    assert carrier.queue_depth("default") == 0
    ticket = fan.tickets[0]
    for priority in (-1, 0, 0, 1):
        changed = Ticket(ticket.task_run_id, ticket.epoch, "default", priority, ticket.label)
        step = alone(fan, 0)
        carrier.publish([Consignment(step.run_pk, step.blocks, {0: changed})])
    assert carrier.queue_depth("default") == 4
    assert carrier.queue_depth("another") == 0
    with broker.full():
        assert carrier.queue_depth("default") == 4
    with broker.read_only():
        assert carrier.queue_depth("default") == 4
    broker.forget()
    assert carrier.queue_depth("default") == 0


def test_a_job_that_cannot_be_sent_disturbs_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(**_: Any) -> None:
        raise OSError("nobody there")

    monkeypatch.setattr(ticks, "line", Line())
    monkeypatch.setattr(ticks.recover, "apply_async", away)
    ticks.send("recover")
    assert "nobody there" in caplog.text
