"""Asks the API all the time, as people and programs do, and looks whether everybody works again."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import httpx

from chaos.case import Goal, at_most
from chaos.load import Call, Triggered
from chaos.verdict import longest
from chaos.waiting import Late
from chaos.work import Shapes, dag

if TYPE_CHECKING:
    from chaos.stage import Stage

#: Seconds between two questions.
_EVERY = 0.5

#: The DAG that is triggered: one task.
PING = "ping"

#: How long the slowest answer may take, in seconds, whatever is broken.
ANSWERS_WITHIN = 6.0


def with_ping(shapes: Shapes) -> list[dict[str, Any]]:
    """The usual load, and what the probe triggers."""
    return [*shapes.mixed(), dag(PING, [shapes.task("answer", seconds=0.05)])]


@contextlib.contextmanager
def asking(stage: Stage) -> Iterator[list[Call]]:
    """Within, the API is asked to list runs and to trigger one, in turns.

    Yields the calls, which go on being noted. A run whose trigger was answered must not get lost.
    """
    calls: list[Call] = []
    stopping = threading.Event()

    def ask() -> None:
        with stage.client() as client:
            for question in itertools.cycle((_list, _trigger)):
                if stopping.wait(_EVERY):
                    return
                calls.append(question(stage, client))

    thread = threading.Thread(target=ask, name="probe", daemon=True)
    thread.start()
    try:
        yield calls
    finally:
        stopping.set()
        thread.join(timeout=60)


def goals_for(calls: Sequence[Call]) -> list[Goal]:
    """The API answered all the time, if only to say what is wrong."""
    unanswered = [call for call in calls if not call.status]
    return [
        at_most("API: slowest answer", longest([call.seconds for call in calls]), ANSWERS_WITHIN),
        Goal("API: calls without an answer", str(len(unanswered)), "0", not unanswered),
    ]


def back_at_work(stage: Stage, labels: Sequence[str], *, within: float) -> dict[str, float]:
    """Seconds, from now, until each worker of `labels` has begun a task; those in time."""
    began = time.monotonic()
    since = time.time()
    times: dict[str, float] = {}

    def all_are() -> bool:
        for label in set(labels) - set(times):
            if stage.rows(
                "SELECT 1 FROM skytrail_attempt WHERE worker LIKE %s"
                " AND started_at > to_timestamp(%s) LIMIT 1",
                f"{label}@%",
                since,
            ):
                times[label] = time.monotonic() - began
        return len(times) == len(labels)

    with contextlib.suppress(Late):
        stage.wait_until(all_are, within, what=f"{', '.join(labels)} work again")
    return times


def got_over(stage: Stage, *, within: float) -> None:
    """Waits until all that is queued by now has been begun, so that the next fault finds it so.

    Where that takes too long, the next fault finds it queued.
    """
    since = time.time()
    with contextlib.suppress(Late):
        stage.wait_until(
            lambda: (
                stage.rows(
                    "SELECT count(*) FROM skytrail_task_run"
                    " WHERE state = 'queued' AND queued_at <= to_timestamp(%s)",
                    since,
                )
                == [(0,)]
            ),
            within,
            what="all that was queued has been begun",
        )


def _list(_stage: Stage, client: httpx.Client) -> Call:
    return _timed(lambda: client.get("runs"))[0]


def _trigger(stage: Stage, client: httpx.Client) -> Call:
    call, answer = _timed(
        lambda: client.post(
            f"dags/{PING}/runs", headers={"Idempotency-Key": str(uuid.uuid4())}, json={}
        )
    )
    if answer is not None and answer.is_success:
        stage.load.triggered.append(Triggered(PING, answer.json()["run_id"]))
    return call


def _timed(ask: Callable[[], httpx.Response]) -> tuple[Call, httpx.Response | None]:
    at, began = time.time(), time.monotonic()
    answer: httpx.Response | None = None
    with contextlib.suppress(httpx.HTTPError):
        answer = ask()
    status = 0 if answer is None else answer.status_code
    return Call(at, time.monotonic() - began, status), answer
