"""A worker goes straight on with the next steps of a chain, and Flower hears of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import redis
from celery import Celery
from celery.app.task import Context
from django.conf import settings as django_settings
from pytest_django import Settings

from runs_app.models import DagRun
from skytrail.celery import app
from tests.doubles import RecordingDispatcher
from tests.factories import save_dag, start_run, states
from tests.waiting import wait_until
from workers.broker import canvas
from workers.riding import ride

pytestmark = pytest.mark.usefixtures("committing")

ROW = {"a": [], "b": ["a"], "c": ["b"]}


def sent(dispatcher: RecordingDispatcher) -> tuple[UUID, int, Any]:
    """The one message of a new run, as its worker gets it."""
    (consignment,) = dispatcher.consignments
    ((_, signature),) = canvas.canvases(consignment, app=app)
    steps: Any = signature
    first, *rest = steps.tasks
    chain = [
        {**step, "options": {"task_id": f"id of {step['args'][0]}", **step["options"]}}
        for step in rest
    ]
    context = Context(
        hostname="worker@one", chain=chain[::-1], delivery_info={"routing_key": "default"}
    )
    task_run_id, epoch = first.args
    return UUID(task_run_id), epoch, context


def launched(dispatcher: RecordingDispatcher, **tasks: Any) -> tuple[DagRun, UUID, int, Any]:
    run = start_run(save_dag(ROW, tasks=tasks))
    return run, *sent(dispatcher)


def test_a_chain_of_quick_steps_costs_one_message(dispatcher: RecordingDispatcher) -> None:
    run, task_run_id, epoch, context = launched(dispatcher)
    assert ride(context, task_run_id, epoch) == "run ended: success"
    assert set(states(run).values()) == {"success"}
    run.refresh_from_db()
    assert (run.state, context.chain) == ("success", [])


def test_switched_off_each_step_has_its_message(
    dispatcher: RecordingDispatcher, settings: Settings
) -> None:
    settings.SKYTRAIL_RIDE_ALONG = False
    run, task_run_id, epoch, context = launched(dispatcher)
    assert ride(context, task_run_id, epoch) == "success"
    assert states(run) == {"a": "success", "b": "waiting", "c": "waiting"}
    assert len(context.chain) == 3, "b, c and the dispatch"


def test_a_step_of_another_queue_travels(dispatcher: RecordingDispatcher) -> None:
    run, task_run_id, epoch, context = launched(dispatcher, b={"queue": "heavy"})
    assert ride(context, task_run_id, epoch) == "success"
    assert states(run)["b"] == "waiting"


def test_after_a_failure_only_the_dispatch_is_left(dispatcher: RecordingDispatcher) -> None:
    run, task_run_id, epoch, context = launched(dispatcher, a={"type": "bash", "command": "exit 3"})
    assert ride(context, task_run_id, epoch) == "failed"
    (last,) = context.chain
    assert last["task"] == "skytrail.dispatch"
    assert states(run) == {"a": "failed", "b": "waiting", "c": "waiting"}


# ------------------------------------------------------------------- Flower


class Listener:
    """Hears what workers announce, as Flower does."""

    def __init__(self, app: Celery) -> None:
        self.heard: list[dict[str, Any]] = []
        self._app = app
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def start(self) -> None:
        self._thread.start()
        client = redis.Redis.from_url(django_settings.SKYTRAIL_REDIS_URL)
        wait_until(lambda: client.pubsub_numpat() > 0, what="somebody listens for events")
        client.close()

    def stop(self) -> None:
        self._over.set()
        self._thread.join(timeout=20)

    def _listen(self) -> None:
        with self._app.connection_for_read() as connection:
            receiver = self._app.events.Receiver(connection, handlers={"*": self.heard.append})
            with receiver.consumer_context(wakeup=False) as (line, *_):
                while not self._over.is_set():
                    try:
                        line.drain_events(timeout=0.2)
                    except TimeoutError:
                        continue


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener(app)
    listener.start()
    yield listener
    listener.stop()


def test_flower_hears_of_every_step_that_was_ridden(
    dispatcher: RecordingDispatcher, settings: Settings, listener: Listener
) -> None:
    settings.SKYTRAIL_ANNOUNCE_STEPS = True
    _, task_run_id, epoch, context = launched(dispatcher)
    ride(context, task_run_id, epoch)
    wait_until(lambda: len(listener.heard) >= 9, what="nine events")
    kinds = [(event["type"], event.get("name")) for event in listener.heard]
    assert kinds[:3] == [
        ("task-received", "story.b"),
        ("task-started", None),
        ("task-succeeded", None),
    ]
    assert {event["hostname"] for event in listener.heard} == {"worker@one"}
    assert all(event["runtime"] > 0 for event in listener.heard if "runtime" in event)


def test_without_flower_nothing_is_announced(
    dispatcher: RecordingDispatcher, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SKYTRAIL_ANNOUNCE_STEPS = False
    asked: list[str] = []
    monkeypatch.setattr(
        type(app.events), "default_dispatcher", lambda *_, **__: asked.append("asked")
    )
    _, task_run_id, epoch, context = launched(dispatcher)
    ride(context, task_run_id, epoch)
    assert asked == []
