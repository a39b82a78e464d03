"""Celery with what Skytrail needs of it, and without what it has no use for."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from celery import Celery
from celery.app.amqp import AMQP
from celery.result import AsyncResult

from workers.broker.connection import Connection


class Application(Celery):
    """The class of `skytrail.celery.app`."""

    amqp_cls = "workers.broker.application:ImpatientAMQP"

    @cached_property
    def AsyncResult(self) -> Any:  # noqa: N802  # Celery's name
        """What Celery makes of each task that it sends."""
        return self.subclass_with_self(Result, reverse="AsyncResult")


class ImpatientAMQP(AMQP):
    """Has Celery use our connections for everything."""

    Connection = Connection


class Result(AsyncResult[Any]):
    """The result of a task, for which somebody may wait, but nobody does unasked.

    Whoever sends a chord would otherwise subscribe to the result of each of its parts, which takes
    as many trips to Redis again and keeps each of them in memory until it comes: for ever, since
    no result is stored. And where Redis has been away for a while, the subscription cannot be
    mended: that process could send no chord any more.
    """

    def then(self, callback: Any, on_error: Any = None, weak: bool = False) -> Any:  # noqa: FBT001, FBT002
        """Notes what is to be done with the result, should anybody fetch it."""
        return self.on_ready.then(callback, on_error)
