"""The load: runs triggered over REST for as long as a case has faults to inject."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from chaos.stage import Stage

#: How often is looked whether there is room for another run, in seconds.
_LOOK_EVERY = 0.2


@dataclass(frozen=True)
class Call:
    """A call of the API: when it began (`time.time()`), how long it took, and what it answered.

    `status` is 0 where no answer came.
    """

    at: float
    seconds: float
    status: int


@dataclass(frozen=True)
class Triggered:
    """A run whose trigger was answered with success: from here on it must not get lost."""

    dag: str
    run_id: str


class Load:
    """Triggers runs of `dags` in a random order, so that workers are busy and queues short.

    A trigger that is not answered is repeated with the same Idempotency-Key.
    """

    def __init__(self, stage: Stage, dags: Sequence[str], *, random: Random, most: int) -> None:
        self._stage = stage
        self._dags = dags
        self._random = random
        self._most = most
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)
        self.triggered: list[Triggered] = []
        self.calls: list[Call] = []

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Triggers nothing more; what has been begun is brought to an answer."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=120)

    def _run(self) -> None:
        order = itertools.cycle(self._random.sample(self._dags, len(self._dags)))
        with self._stage.client() as client:
            while not self._stopping.wait(_LOOK_EVERY):
                queued, active = self._stage.pressure()
                if queued < self._most / 4 and active < self._most:
                    self._trigger(client, next(order))

    def _trigger(self, client: httpx.Client, dag: str) -> None:
        key = str(uuid.UUID(int=self._random.getrandbits(128)))
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            answer = self.call(
                client, "POST", f"dags/{dag}/runs", headers={"Idempotency-Key": key}, json={}
            )
            if answer is not None and answer.is_success:
                self.triggered.append(Triggered(dag, answer.json()["run_id"]))
                return
            self._stopping.wait(0.5)

    def call(
        self, client: httpx.Client, method: str, path: str, **options: Any
    ) -> httpx.Response | None:
        """A call of the API, noted; None where no answer came."""
        at, began = time.time(), time.monotonic()
        answer: httpx.Response | None = None
        with contextlib.suppress(httpx.HTTPError):
            answer = client.request(method, path, **options)
        status = 0 if answer is None else answer.status_code
        self.calls.append(Call(at, time.monotonic() - began, status))
        return answer
