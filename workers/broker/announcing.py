"""Telling Flower of steps for which there was no message.

Flower knows what workers announce of their messages. A step that was ridden along had none, so the
same is announced for it: received, started, succeeded. All steps of a ride go out together.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from celery import current_app
from django.conf import settings

from workers.broker.line import BrokerAway, line


class Ride:
    """The steps of one ride in the worker `hostname`."""

    def __init__(self, hostname: str) -> None:
        self._hostname = hostname
        self._events: list[tuple[str, dict[str, Any]]] = []

    def note(self, signature: dict[str, Any], word: str, *, began: float) -> None:
        """The step of `signature` has just ended with `word`; `began` is in seconds."""
        if not settings.SKYTRAIL_ANNOUNCE_STEPS:
            return
        options = signature["options"]
        ended = time.time()
        about = {"uuid": options["task_id"]}
        name = options.get("shadow") or signature["task"]
        self._note("received", began, **about, name=name, args=str(signature["args"]), kwargs="{}")
        self._note("started", began, **about)
        self._note("succeeded", ended, **about, result=repr(word), runtime=ended - began)

    def announce(self) -> None:
        """Sends what was noted. Nobody depends on it: what does not get through is lost."""
        if not self._events:
            return
        with suppress(BrokerAway):
            line.over(self._send)

    def _send(self) -> None:
        with current_app.events.default_dispatcher(hostname=self._hostname) as dispatcher:
            dispatcher.buffer_group = frozenset({"task"})
            for kind, fields in self._events:
                dispatcher.send(f"task-{kind}", **fields)
            dispatcher.flush()

    def _note(self, kind: str, at: float, **fields: Any) -> None:
        self._events.append((kind, {**fields, "timestamp": at}))
