"""Leaving without delay: what Celery and Python sleep through when an idle worker is stopped.

Three waits, of up to a second each, that wait for nothing: the event loop looks only once a second
whether it is to stop; a pool process sleeps for a second after its last word; and Python goes over
all objects once more before it ends.
"""

from __future__ import annotations

import gc
import os
import socket
import sys
import threading
import time
from typing import Any

from celery import bootsteps

_LOOK_EVERY = 0.01


class Doorbell(bootsteps.StartStopStep):
    """Wakes the event loop of a worker's parent process, so that it looks whether it is to stop."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    _bell, _button = socket.socketpair(type=socket.SOCK_DGRAM)
    _button.setblocking(False)  # noqa: FBT003  # the library's own way

    def start(self, parent: Any) -> None:
        """Begins to listen; also after each new connection to the broker, which has a new loop."""
        if parent.hub is not None:
            parent.hub.add_reader(self._bell, self._bell.recv, 16)

    @classmethod
    def ring(cls) -> None:
        """Wakes it. Called in a signal handler."""
        cls._button.send(b"!")


def end_when_done(exitcode: int) -> None:
    """Ends a pool process as soon as it has nothing left to do.

    After its last word billiard sleeps, for its parent to end it; but a parent that stops does not
    listen any more.
    """
    main = threading.main_thread().ident
    assert main is not None

    def watch() -> None:
        while sys._current_frames()[main].f_code.co_name != "_do_exit":  # noqa: SLF001
            time.sleep(_LOOK_EVERY)
        os._exit(exitcode)

    threading.Thread(target=watch, name="skytrail-leaving", daemon=True).start()


def spare_the_last_collection() -> None:
    """Has Python end without a last search for garbage, which takes long in a large project."""
    gc.freeze()
