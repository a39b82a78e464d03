"""Bare Celery doing the same work: the limit that Skytrail is measured against.

Celery's own defaults, with the Redis result backend that chords need. No-ops in Python, and a task
that starts `bash -c true`.
"""

from __future__ import annotations

import os
import subprocess
from typing import Any

from celery import Celery, Signature, chain, chord, group

app = Celery("bare")
app.conf.update(
    broker_url=os.environ["REDIS_URL"],
    result_backend=os.environ["REDIS_URL"],
    task_default_queue="bare",
    broker_connection_retry_on_startup=True,
)


@app.task
def python() -> None:
    """Nothing."""


@app.task
def bash() -> None:
    """Nothing, in a shell."""
    subprocess.run(["bash", "-c", "true"], check=True)  # as a user would write it


WORK = {"python": python, "bash": bash}


def fan(kind: str, width: int) -> Signature[Any]:
    """A chord: `width` tasks and one that waits for all."""
    work = WORK[kind]
    return chord([work.si() for _ in range(width)], work.si(), app=app)


def row(kind: str, length: int) -> Signature[Any]:
    """A chain."""
    return chain(*[WORK[kind].si() for _ in range(length)], app=app)


def diamond(kind: str) -> Signature[Any]:
    """One task, three side by side, one that waits for the three."""
    work = WORK[kind]
    return chain(work.si(), group([work.si() for _ in range(3)], app=app), work.si(), app=app)
