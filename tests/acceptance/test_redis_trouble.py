"""Redis restarts, forgets, is full, stalls, loses connections or takes no changes: nothing is lost.

With the settings that everybody gets: nothing here is hurried along.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from pytest_django import DjangoDbBlocker

from skytrail.embedded.ports import Ports
from tests.acceptance.conftest import Installation, installation_beside
from tests.troubled_broker import TroubledBroker, troubled_broker
from tests.waiting import wait_until

#: What whoever calls the API waits for at most, in seconds.
WITHIN = 6.0

#: How long after the trouble every run is to be over, in seconds. They take less than one.
RECOVERED = 30.0

SETTINGS = {"SKYTRAIL_LEASE_SECONDS": "60", "SKYTRAIL_STOP_GRACE_SECONDS": "5"}


@pytest.fixture(scope="module")
def broker() -> Iterator[TroubledBroker]:
    with troubled_broker(durable=True) as broker:
        yield broker


@pytest.fixture(scope="module")
def installation(
    broker: TroubledBroker,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("troubled")
    with (
        django_db_blocker.unblock(),
        installation_beside(folder, redis_url=broker.url, **SETTINGS) as made,
    ):
        made.save("flow", STEPS)
        made.start("flower", f"--port={Ports().choose(purpose='Flower', option='--port', asked=0)}")
        yield made


#: A step, a fan and a join: a chain, a chord and two dispatches.
STEPS: list[dict[str, Any]] = [
    {"id": "a"},
    {"id": "b", "depends_on": ["a"]},
    {"id": "c", "depends_on": ["a"]},
    {"id": "d", "depends_on": ["a"]},
    {"id": "end", "depends_on": ["b", "c", "d"]},
]


@dataclass
class Callers:
    """People who call the API all the time: what they were promised, and how long it took."""

    installation: Installation
    #: Runs that are to end well.
    accepted: list[str] = field(default_factory=list)
    longest: dict[str, float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Callers:
        for work in (self._look, self._run):
            thread = threading.Thread(target=self._go_on, args=(work,), daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(timeout=60)

    def _go_on(self, work: Callable[[], None]) -> None:
        while not self._over.wait(0.3):
            work()

    def _look(self) -> None:
        for path in ("dags", "dags/flow/runs?limit=5", "workers", "dags/flow/status"):
            self._call("GET", path, 200)

    def _run(self) -> None:
        """Triggers two; the second is cancelled, and what was cancelled is cleared: it runs."""
        for _ in range(2):
            answer = self._call("POST", "dags/flow/runs", 201)
            if answer is not None and answer.status_code == 201:
                self.accepted.append(str(answer.json()["run_id"]))
        if len(self.accepted) >= 2:
            path = f"dags/flow/runs/{self.accepted[-1]}"
            self._call("POST", f"{path}/cancel", 200, 409)  # over, or not: both are an answer
            self._call("POST", f"{path}/clear", 200, 409)

    def _call(self, method: str, path: str, *right: int) -> httpx.Response | None:
        began = time.monotonic()
        try:
            answer = self.installation.call(method, path, json={} if method == "POST" else None)
        except httpx.HTTPError as error:
            self.wrong.append(f"{method} {path}: {error!r}")
            return None
        finally:
            took = time.monotonic() - began
            word = path.split("?", maxsplit=1)[0].rsplit("/", 1)[-1]
            self.longest[word] = max(self.longest.get(word, 0.0), took)
        if answer.status_code not in right:
            self.wrong.append(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer


@contextmanager
def restarted(broker: TroubledBroker) -> Iterator[None]:
    broker.stop()
    yield
    broker.start()


@contextmanager
def restarted_empty(broker: TroubledBroker) -> Iterator[None]:
    broker.forget()
    broker.stop()
    yield
    broker.start()
    broker.forget()


@contextmanager
def forgetful(broker: TroubledBroker) -> Iterator[None]:
    with again_and_again(broker.forget):
        yield


@contextmanager
def cut(broker: TroubledBroker) -> Iterator[None]:
    with again_and_again(broker.cut_connections):
        yield


@contextmanager
def again_and_again(do: Callable[[], None]) -> Iterator[None]:
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(0.7):
            do()

    thread = threading.Thread(target=go_on)
    thread.start()
    yield
    over.set()
    thread.join()


TROUBLES = {
    "restarted": (restarted, 3.0),
    "restarted empty": (restarted_empty, 3.0),
    "forgetful": (forgetful, 3.0),
    "full": (TroubledBroker.full, 4.0),
    "stalled": (TroubledBroker.stalled, 20.0),
    "cut": (cut, 4.0),
    "read-only": (TroubledBroker.read_only, 4.0),
}


@pytest.mark.timeout(240)  # the first one starts everything
@pytest.mark.parametrize("trouble", TROUBLES)
def test_nothing_is_lost_and_nobody_exits(
    trouble: str, installation: Installation, broker: TroubledBroker
) -> None:
    suffers, seconds = TROUBLES[trouble]
    processes = {label: part.process.pid for label, part in installation.parts.items()}
    with Callers(installation) as callers:
        wait_until(lambda: callers.accepted, what="runs are triggered before the trouble")
        before = len(callers.accepted)
        with suffers(broker):
            ends = time.monotonic() + seconds
            wait_until(
                lambda: time.monotonic() > ends and len(callers.accepted) > before,
                timeout=seconds + 10,
                what="the trouble lasted, and runs were triggered all the same",
            )
        healed = time.monotonic()
    ends_well = []
    for run_id in callers.accepted:
        left = max(1.0, RECOVERED - (time.monotonic() - healed))
        ends_well.append(installation.wait_for_end("flow", run_id, timeout=left)["state"])
    took = time.monotonic() - healed
    print(f"{trouble}: {len(ends_well)} runs in {took:.1f} s; {callers.longest}")  # noqa: T201
    assert callers.wrong == []
    assert set(ends_well) == {"success"}
    assert max(callers.longest.values()) < WITHIN, callers.longest
    for label, part in installation.parts.items():
        assert part.process.poll() is None, f"{label} has not ended"
        assert part.process.pid == processes[label]
