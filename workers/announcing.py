"""Telling Flower of steps for which there was no message.

Flower knows what workers announce of their messages. A step that was ridden along had none, so the
same is announced for it: received, started, succeeded. All steps of a ride go out together.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import Celery, current_app
from django.conf import settings

from workers.dispatcher import BROKER_ERRORS

_logger = logging.getLogger(__name__)


class Ride:
    """The steps of one ride in the worker `hostname`."""

    def __init__(self, hostname: str) -> None:
        self._hostname = hostname
        self._events: list[tuple[str, dict[str, Any]]] = []

    @contextmanager
    def step(self, signature: dict[str, Any]) -> Iterator[list[str]]:
        """Within, the step that `signature` stands for is executed; its word goes into the list."""
        said: list[str] = []
        began = time.time()
        yield said
        if not settings.SKYTRAIL_ANNOUNCE_STEPS:
            return
        options = signature["options"]
        ended = time.time()
        about = {"uuid": options["task_id"]}
        name = options.get("shadow") or signature["task"]
        self._note("received", began, **about, name=name, args=str(signature["args"]), kwargs="{}")
        self._note("started", began, **about)
        self._note("succeeded", ended, **about, result=repr(said[0]), runtime=ended - began)

    def announce(self, app: Celery | None = None) -> None:
        """Sends what was noted. Nobody depends on it: what does not get through is lost."""
        if not self._events:
            return
        try:
            events = (app or current_app).events
            with events.default_dispatcher(hostname=self._hostname) as dispatcher:
                dispatcher.buffer_group = frozenset({"task"})
                for kind, fields in self._events:
                    dispatcher.send(f"task-{kind}", **fields)
                dispatcher.flush()
        except BROKER_ERRORS as error:
            _logger.debug("could not announce %s event(s): %s", len(self._events), error)
        self._events.clear()

    def _note(self, kind: str, at: float, **fields: Any) -> None:
        self._events.append((kind, {**fields, "timestamp": at}))
