"""Bare Celery doing the same work: the limit that Skytrail is measured against.

Celery's own defaults, with the Redis result backend that chords need. No-ops in Python, and a task
that starts `bash -c true`. Its worker is started as `celery --app=benchmarks.bare worker`.
"""

from __future__ import annotations

import os
import subprocess
import time
from typing import Any

from celery import Celery, Signature, chain, chord, group

from benchmarks.cases import Case

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


@app.task
def python_clock() -> float:
    """When this task began, as seconds since the epoch."""
    return time.time()


@app.task
def bash_clock() -> float:
    """The same, and then the shell."""
    began = time.time()
    bash()
    return began


WORK = {"python": python, "bash": bash}
CLOCK = {"python": python_clock, "bash": bash_clock}


def canvas(case: Case, kind: str) -> Signature[Any]:
    """The shape as somebody who knows Celery would write it."""
    work = WORK[kind]
    if case.name.startswith("fan"):
        return chord([work.si() for _ in range(len(case.graph) - 1)], work.si(), app=app)
    if case.name.startswith("chain"):
        return chain(*[work.si() for _ in case.graph], app=app)
    return chain(work.si(), group([work.si() for _ in range(3)], app=app), work.si(), app=app)


def measure(case: Case, kind: str) -> float:
    """The seconds from the first canvas published to the last one's end."""
    canvases = [canvas(case, kind) for _ in range(case.runs)]
    began = time.perf_counter()
    results = [made.apply_async() for made in canvases]
    for result in results:
        result.get(timeout=300)
    return time.perf_counter() - began


def delay(kind: str) -> float:
    """The seconds from publishing a lone task to its start."""
    began = time.time()
    return float(CLOCK[kind].delay().get(timeout=30)) - began
