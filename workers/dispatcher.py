"""Celery as the carrier of work: the `Dispatcher` that the settings name."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from uuid import UUID

from celery import Celery
from django.conf import settings
from django.utils.module_loading import import_string
from kombu.exceptions import ChannelError, OperationalError
from redis.exceptions import RedisError

from runs_app.actions.consigning import mark_unsent
from runs_app.dispatching import Consignment
from workers import canvas, names

_logger = logging.getLogger(__name__)

#: What a broker that is away, full or read-only raises, as far as Celery lets it through.
BROKER_ERRORS = (OperationalError, ChannelError, RedisError, OSError)


class CeleryDispatcher:
    """Publishes blocks as canvases. See `runs_app.dispatching.Dispatcher`."""

    @cached_property
    def app(self) -> Celery:
        app: Celery = import_string(settings.SKYTRAIL_CELERY_APP)
        return app

    def publish(self, consignments: Iterable[Consignment]) -> None:
        for consignment in consignments:
            for block, signature in canvas.canvases(consignment, app=self.app):
                try:
                    signature.apply_async()
                except BROKER_ERRORS as error:
                    _logger.warning("could not publish a block, recovery will: %s", error)
                    mark_unsent(consignment.tickets[position] for position in block.positions())

    def request_dispatch(self, run_pk: UUID, towards: Sequence[int] | None = None) -> None:
        positions = None if towards is None else tuple(towards)
        with self._forgiving("ask for a dispatch"):
            canvas.dispatch(run_pk, positions, app=self.app).apply_async()

    def call_in(self, workers: Iterable[str]) -> None:
        with self._forgiving("call workers in"):
            self.app.control.broadcast(names.RENEW_LEASES, destination=list(workers))

    def queue_depth(self, queue: str) -> int | None:
        try:
            with self.app.connection_for_read() as connection:
                channel: Any = connection.default_channel
                try:
                    return int(channel.queue_declare(queue, passive=True).message_count)
                except ChannelError:
                    return 0  # Redis drops the key of an empty list
        except BROKER_ERRORS as error:
            _logger.warning("could not count the messages of queue %r: %s", queue, error)
            return None

    @contextmanager
    def _forgiving(self, what: str) -> Iterator[None]:
        """A message that does not get through is made up for by recovery."""
        try:
            yield
        except BROKER_ERRORS as error:
            _logger.warning("could not %s, recovery will: %s", what, error)
