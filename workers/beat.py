"""Celery's beat over django-celery-beat's rows: it goes on while the database or Redis is away."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from celery.beat import SchedulingError
from django.db import Error as DatabaseError
from django.db import connection
from django_celery_beat.schedulers import SCHEDULE_SYNC_MAX_INTERVAL, DatabaseScheduler

from skytrail.database.trouble import in_a_line, trouble_of
from workers.broker.line import BROKER_ERRORS, BrokerAway, line

_logger = logging.getLogger(__name__)

#: When the library reads all rows anew, changed or not, and how soon we do if it could not.
_READ_EVERY = timedelta(seconds=SCHEDULE_SYNC_MAX_INTERVAL)
_READ_AGAIN_AFTER = timedelta(seconds=5)


class Scheduler(DatabaseScheduler):  # type: ignore[misc]  # the library has no types
    """Keeps the schedule that it has read, and reads it again as soon as it can.

    The library's own ends beat with the first thing that it cannot read. It is only short of a
    schedule where it starts without a database: then it has none until there is one.
    """

    _is_away = False
    _last_timestamp: datetime | None = None

    def schedule_changed(self) -> bool:
        """Whether a row has been changed since this was last asked."""
        before = self._last_timestamp
        try:
            self._last_timestamp = self.Changes.last_change()
        except DatabaseError as error:
            self._note(error)
            return False
        self._is_away = False
        return bool(before and self._last_timestamp and self._last_timestamp > before)

    def all_as_schedule(self) -> dict[str, Any]:
        """The rows, or what was read of them before."""
        try:
            found: dict[str, Any] = super().all_as_schedule()
        except DatabaseError as error:
            self._note(error)
            self._last_full_sync -= _READ_EVERY - _READ_AGAIN_AFTER
            return self._as_known()
        self._is_away = False
        return found

    #: Messages go by the application's connections: one that is only beat's would stay broken.
    producer = None

    def apply_entry(self, entry: Any, producer: None = None) -> None:
        """Sends what is due. What cannot be sent is due again soon, or dispatchers see to it."""
        with suppress(BrokerAway):
            line.over(partial(self._send, entry))

    def _send(self, entry: Any) -> None:
        try:
            self.apply_async(entry, advance=False)
        except SchedulingError as error:
            if isinstance(error.__context__, BROKER_ERRORS):
                raise error.__context__ from None
            _logger.error("could not send %s: %s", entry.name, error)  # noqa: TRY400  # its words do

    def _note(self, error: DatabaseError) -> None:
        """Says once that the database is away. Raises what is no trouble but a mistake."""
        if (trouble := trouble_of(error)) is None:
            raise error
        connection.close()
        if not self._is_away:
            _logger.warning(
                "beat goes by what it knows while the database is in trouble (%s): %s",
                trouble,
                in_a_line(error),
            )
        self._is_away = True

    def _as_known(self) -> dict[str, Any]:
        """What is in memory: a row's entry is made anew each time, but over the same row."""
        known = self._schedule or {}
        return {name: self.Entry(entry.model, app=self.app) for name, entry in known.items()}

    def sync(self) -> None:
        """Writes down when each was last sent. Not in the middle of another statement."""
        # Told to stop, beat calls this in a signal handler: a lock that is held there would never
        # be given back.
        if connection.connection is not None and connection.connection.lock.locked():
            return
        super().sync()
