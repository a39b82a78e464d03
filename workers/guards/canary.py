"""The canary: how a worker notices that it has stopped listening.

A worker that is connected and yet receives nothing looks like one that has nothing to do; it has
happened to Celery's after a reconnection. So a worker that has received nothing for a while, though
it has a free slot, sends itself a message, through Redis and by the same connection by which its
tasks come. When none of several comes, while Redis takes them, it connects anew; and if that does
not help, it stops as if it had been told to, and starts again in the same process.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from celery import Task, bootsteps, shared_task, signals
from django.conf import settings
from kombu import Exchange, Queue

from workers import names
from workers.broker.line import BrokerAway, line
from workers.guards.restarting import Restart

_logger = logging.getLogger(__name__)

#: So many in a row may stay out before something is done about it.
MAY_STAY_OUT = 4

#: Redis drops what a worker that is gone has sent itself, after so many seconds.
_KEPT = 60


def queue_of(worker: str) -> Queue:
    """The queue in which a worker's canaries wait: its own, and with no trace but the messages."""
    # Sent with the first priority, for which Redis has a list of just this name.
    return Queue(f"{names.CANARY}.{worker}", Exchange(""), routing_key=f"{names.CANARY}.{worker}")


_heard = threading.Event()


@signals.task_received.connect
def hear(**_: Any) -> None:
    """Something has arrived, a canary or work; in Celery's own thread."""
    _heard.set()


def receiver(_task: Any, _app: Any, consumer: Any) -> Callable[..., None]:
    """Takes in a canary where it arrives, in the parent process: no slot is needed for it."""

    def receive(_message: Any, _body: Any, ack: Callable[..., None], *_: Any) -> None:
        ack(_logger, consumer.connection_errors)
        hear()

    return receive


class _Canary(Task[Any, Any]):
    Strategy = "workers.guards.canary:receiver"  # what Celery calls it


@shared_task(name=names.CANARY, base=_Canary)
def canary() -> None:
    """Is received, and never executed."""


class Perch(bootsteps.StartStopStep):
    """Has the worker's consumer take in its canaries too; anew for each connection."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, parent: Any) -> None:
        """Celery consumes from it together with the others, a moment later."""
        if settings.SKYTRAIL_CANARY_SECONDS:
            parent.task_consumer.add_queue(queue_of(parent.hostname))


class Canary:
    """The thread that sends canaries. `consumer` is Celery's, of the whole worker."""

    def __init__(self, consumer: Any, restart: Restart) -> None:
        self._consumer = consumer
        self._restart = restart
        self._queue = queue_of(consumer.hostname)
        self._stopped = threading.Event()
        self._out = 0
        self._has_lived = False
        self._has_reconnected = False

    def start(self) -> None:
        """Begins, unless it is switched off or Celery's pool is not the usual one."""
        if settings.SKYTRAIL_CANARY_SECONDS and self._jobs() is not None:
            threading.Thread(target=self._run, name="skytrail-canary", daemon=True).start()

    def stop(self) -> None:
        """Ends, as the worker is about to. Called in a signal handler."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(settings.SKYTRAIL_CANARY_SECONDS):
            try:
                self._look()
            except Exception:  # it is there for what nobody has foreseen
                _logger.exception("the canary could not look")

    def _look(self) -> None:
        if _heard.is_set():
            _heard.clear()
            self._out = 0
            self._has_lived = True
            self._has_reconnected = False
        elif self._is_full():
            self._out = 0  # rightly, it receives nothing
        else:
            self._send()
            if self._out > MAY_STAY_OUT:
                self._out = 0
                self._mend()

    def _is_full(self) -> bool:
        """By what the pool works at. That Celery takes its slots for taken may be what is wrong."""
        jobs = self._jobs()
        return jobs is None or len(jobs) >= self._consumer.pool.num_processes

    def _jobs(self) -> dict[int, Any] | None:
        jobs: dict[int, Any] | None = getattr(
            getattr(self._consumer.pool, "_pool", None), "_cache", None
        )
        return jobs

    def _send(self) -> None:
        try:
            line.over(self._send_one)
        except BrokerAway:
            self._out = 0  # Redis is not well, and that is another matter
        else:
            self._out += 1

    def _send_one(self) -> None:
        with self._consumer.app.producer_or_acquire() as producer:
            canary.apply_async(queue=self._queue, priority=0, producer=producer)
            with producer.channel.conn_or_acquire() as client:
                client.expire(self._queue.name, _KEPT)

    def _mend(self) -> None:
        if not self._has_reconnected:
            self._has_reconnected = True
            _logger.error("this worker receives nothing, though Redis is well: it connects anew")
            self._consumer.hub.call_soon(_break_connection)
        elif self._has_lived:
            _logger.error("this worker receives nothing, though Redis is well: it starts anew")
            self._restart.begin(self._consumer.pool)
        else:
            # It would be no better afterwards, and so without end.
            _logger.error("this worker has received nothing since its start, though Redis is well")


def _break_connection() -> None:
    """In Celery's thread, for which it is one more broken connection."""
    raise ConnectionError("no canary has come back")
