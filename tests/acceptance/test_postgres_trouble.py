"""PostgreSQL restarts, stalls, loses connections or takes no changes: nothing is lost.

In each of it tasks are at work that begin before the trouble and end after it. They must not run
twice: that the database was away is no reason to take them over.
"""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType

import httpx
import pytest

from tests.acceptance.conftest import Installation, installation_of_its_own
from tests.troubled_broker import troubled_broker
from tests.troubled_database import TroubledDatabase, troubled_database
from tests.waiting import wait_until

#: As short as it can be while a worker has the time to learn, before its leases end, whether it
#: alone is cut off from the database.
LEASE = 20

LEASES = {"SKYTRAIL_LEASE_SECONDS": str(LEASE), "SKYTRAIL_STOP_GRACE_SECONDS": "0"}

#: What whoever calls the API waits for at most, in seconds.
WITHIN = 6.0

#: How long after the trouble everything is to be as before, in seconds.
RECOVERED = 45.0

#: Writes down that it has begun, waits for the gate, and writes down that it has ended.
WORK = (
    'echo "$SKYTRAIL_TASK_ID $SKYTRAIL_FENCE" >> {folder}/began;'
    " until [ -e {folder}/gate ]; do sleep 0.1; done;"
    ' echo "$SKYTRAIL_TASK_ID $SKYTRAIL_FENCE" >> {folder}/ended'
)


@pytest.fixture(scope="module")
def server() -> Iterator[TroubledDatabase]:
    with troubled_database() as server:
        yield server


@pytest.fixture(scope="module")
def installation(
    server: TroubledDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("troubled")
    with (
        troubled_broker() as broker,
        installation_of_its_own(
            folder, database_url=server.url, redis_url=broker.url, **LEASES
        ) as made,
    ):
        yield made


@dataclass
class Callers:
    """One reads, one triggers runs, all the time: what they heard, and how long it took."""

    installation: Installation
    name: str
    heard: Counter[int] = field(default_factory=Counter)
    accepted: set[str] = field(default_factory=set)
    longest: float = 0.0
    broken: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Callers:
        for work in (self._read, self._trigger):
            thread = threading.Thread(target=self._go_on, args=(work,), daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(timeout=30)

    def _go_on(self, work: Callable[[], httpx.Response]) -> None:
        while not self._over.wait(0.2):
            began = time.monotonic()
            try:
                answer = work()
            except httpx.HTTPError as error:
                self.broken.append(repr(error))
                continue
            finally:
                self.longest = max(self.longest, time.monotonic() - began)
            self.heard[answer.status_code] += 1
            if not (answer.is_success or _says_what_to_do(answer)):
                self.broken.append(f"{answer.status_code} {answer.text[:200]}")

    def _read(self) -> httpx.Response:
        return self.installation.call("GET", f"dags/{self.name}/runs")

    def _trigger(self) -> httpx.Response:
        answer = self.installation.call("POST", f"dags/{self.name}/runs", json={})
        if answer.status_code == 201:
            self.accepted.add(str(answer.json()["run_id"]))
        return answer


def _says_what_to_do(answer: httpx.Response) -> bool:
    return (
        answer.status_code == 503
        and "Retry-After" in answer.headers
        and answer.json()["error"]["code"].startswith("database_")
    )


def restart(server: TroubledDatabase) -> None:
    server.restart()


def crash(server: TroubledDatabase) -> None:
    server.served.kill()
    passed(8)
    server.served.start().wait_until_ready()


def cut(server: TroubledDatabase) -> None:
    ends = time.monotonic() + 3
    while time.monotonic() < ends:
        server.cut()


def take_no_changes(server: TroubledDatabase) -> None:
    with server.read_only():
        passed(LEASE * 1.2)


def stall(server: TroubledDatabase) -> None:
    with server.paused():
        passed(LEASE * 1.2)


def passed(seconds: float) -> None:
    """Trouble has to last: longer than a lease, or than a pool's patience."""
    until = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= until, timeout=seconds * 2, what="it lasted")


@pytest.mark.timeout(200)  # the first one starts everything
@pytest.mark.parametrize("trouble", [restart, crash, cut, take_no_changes, stall])
def test_nothing_is_lost_and_nobody_exits(
    installation: Installation, server: TroubledDatabase, tmp_path: Path, trouble: FunctionType
) -> None:
    name = trouble.__name__
    tmp_path.chmod(0o777)
    work = {"type": "bash", "command": WORK.format(folder=tmp_path), "queue": "long"}
    installation.save(f"{name}_long", [{"id": "a", **work}, {"id": "b", **work}])
    installation.save(name, [{"id": "a"}, {"id": "b", "depends_on": ["a"]}])
    if "long" not in installation.parts:
        installation.start_worker("long", queues="long", count=2)
    long_one = installation.trigger(f"{name}_long")
    began = tmp_path / "began"
    wait_until(
        lambda: began.exists() and len(began.read_text().splitlines()) == 2,
        timeout=20,
        what="the long tasks are at work",
    )
    processes = {label: part.process.pid for label, part in installation.parts.items()}

    with Callers(installation, name) as callers:
        wait_until(lambda: callers.accepted, what="runs are triggered before the trouble")
        trouble(server)
        healed = time.monotonic()
        before = len(callers.accepted)
        wait_until(
            lambda: len(callers.accepted) > before, timeout=RECOVERED, what="runs are taken again"
        )
    (tmp_path / "gate").touch()

    assert installation.wait_for_end(f"{name}_long", long_one, timeout=RECOVERED)["state"] == (
        "success"
    )
    for run_id in callers.accepted:
        left = max(1.0, RECOVERED - (time.monotonic() - healed))
        assert installation.wait_for_end(name, run_id, timeout=left)["state"] == "success"
    assert callers.broken == []
    assert callers.longest < WITHIN
    for mark in ("began", "ended"):
        assert sorted((tmp_path / mark).read_text().split()) == ["1", "1", "a", "b"], "each once"
    for label, part in installation.parts.items():
        assert part.process.poll() is None, f"{label} has not ended"
        assert part.process.pid == processes[label]
    print(name, dict(callers.heard), f"longest {callers.longest:.2f} s")  # noqa: T201


def test_who_is_told_to_stop_while_it_stalls_stops(
    installation: Installation, server: TroubledDatabase
) -> None:
    parts = [installation.parts[name] for name in ("web", "beat")]
    with server.paused(), Callers(installation, "nothing"):
        passed(2)  # both are in the middle of a question
        for part in parts:
            part.stop()
    # Uvicorn ends by the signal itself, when it has tidied up.
    assert [part.process.returncode for part in parts] == [-signal.SIGTERM, 0]


def test_no_log_has_a_traceback(installation: Installation) -> None:
    told = {
        label: part.log.read_text().partition("Traceback")[2]
        for label, part in installation.parts.items()
    }
    assert {label: text[:1500] for label, text in told.items() if text} == {}
