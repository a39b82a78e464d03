"""Celery as the carrier of work: the `Dispatcher` that the settings name."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cached_property, partial
from typing import Any
from uuid import UUID

from celery import Celery
from django.conf import settings
from django.db import DatabaseError
from django.utils.module_loading import import_string
from kombu.exceptions import ChannelError

from runs_app.actions.consigning import mark_unsent, want_plan
from runs_app.dispatching import Consignment, Ticket
from workers import names
from workers.broker import canvas
from workers.broker.line import BrokerAway, Line, line

_logger = logging.getLogger(__name__)


class CeleryDispatcher:
    """Publishes blocks as canvases. See `runs_app.dispatching.Dispatcher`."""

    def __init__(self, line: Line = line) -> None:
        self._line = line

    @cached_property
    def app(self) -> Celery:
        app: Celery = import_string(settings.SKYTRAIL_CELERY_APP)
        return app

    def publish(self, consignments: Iterable[Consignment]) -> None:
        unsent: list[Ticket] = []
        for consignment in consignments:
            for block, signature in canvas.canvases(consignment, app=self.app):
                try:
                    self._line.over(signature.apply_async)
                except BrokerAway:
                    unsent += (consignment.tickets[step] for step in block.steps())
        if unsent:
            self._note(partial(mark_unsent, unsent))

    def request_dispatch(self, run_pk: UUID, towards: Sequence[int] | None = None) -> None:
        positions = None if towards is None else tuple(towards)
        try:
            self._line.over(canvas.dispatch(run_pk, positions, app=self.app).apply_async)
        except BrokerAway:
            self._note(partial(want_plan, [run_pk]))

    def call_in(self, workers: Iterable[str]) -> None:
        send = partial(self.app.control.broadcast, names.RENEW_LEASES, destination=list(workers))
        # Nobody who is not called misses much: leases are renewed soon anyway.
        with suppress(BrokerAway):
            self._line.over(send)

    def queue_depth(self, queue: str) -> int | None:
        try:
            return self._line.over(partial(self._count, queue))
        except BrokerAway:
            return None

    def _count(self, queue: str) -> int:
        """The messages of all priorities."""
        with self.app.connection_or_acquire() as connection:
            channel: Any = connection.default_channel
            try:
                return int(channel.queue_declare(queue, passive=True).message_count)
            except ChannelError:
                return 0  # Redis drops the key of an empty list

    def _note(self, note: Callable[[], None]) -> None:
        """Writes down what was not sent. Where that fails too, recovery finds it by counting."""
        try:
            note()
        except DatabaseError as error:
            _logger.warning("could not note what was not sent: %s", error)
