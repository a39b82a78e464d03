"""A worker that has stopped listening notices, and one that is busy is left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import redis
from django.conf import settings
from django.db import connection
from pytest_django import DjangoDbBlocker

from runs_app.models import TaskRun, Worker
from skytrail.celery import app
from tests.doubles import RecordingDispatcher
from tests.factories import save_dag, start_run, task
from tests.waiting import wait_until
from workers.broker.dispatcher import CeleryDispatcher
from workers.broker.line import Line
from workers.guards import canary as module
from workers.guards import restarting
from workers.guards.canary import MAY_STAY_OUT, Canary, hear, queue_of
from workers.guards.restarting import Restart


@dataclass
class Flock:
    """A worker of one process, and what its owner can do."""

    process: subprocess.Popen[bytes]
    log: Path
    dispatcher: RecordingDispatcher

    def do(self, sabotage: str) -> None:
        """Does it to the worker; it has answered once this returns."""
        answers: Any = app.control.broadcast(sabotage, reply=True, limit=1, timeout=20)
        assert len(answers) == 1, answers

    def send(self, type_: str = "empty", **parameters: Any) -> TaskRun:
        """A task for it, in Redis."""
        self.dispatcher.forget()
        details = {"type": type_, **parameters}
        run = start_run(save_dag({"work": []}, tasks={"work": details}))
        CeleryDispatcher(Line()).publish(self.dispatcher.consignments)
        return task(run, "work")

    def is_in(self, found: TaskRun, state: str) -> bool:
        """Whether that task has come so far."""
        return TaskRun.objects.filter(pk=found.pk, state=state).exists()

    def does(self, found: TaskRun) -> None:
        """Waits until it has executed a task."""
        wait_until(lambda: self.is_in(found, "success"), timeout=60, what="the task is done")

    def said(self) -> str:
        """Its log."""
        return self.log.read_text()

    def pool(self) -> set[int]:
        """What it has started."""
        return {child.pid for child in psutil.Process(self.process.pid).children()}


@pytest.fixture(scope="module")
def worker(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A worker of one process, and its log."""
    folder = tmp_path_factory.mktemp("canary")
    with django_db_blocker.unblock():
        database = connection.settings_dict
    login = f"{database['USER']}:{database['PASSWORD']}"
    place = f"{database['HOST']}:{database['PORT']}/{database['NAME']}"
    environment = {
        **os.environ,
        "DATABASE_URL": f"postgresql://{login}@{place}",
        "REDIS_URL": settings.SKYTRAIL_REDIS_URL,
        "DJANGO_SETTINGS_MODULE": "skytrail.settings",
        "SKYTRAIL_SECRET_KEY": "only for the tests",
        "SKYTRAIL_CANARY_SECONDS": "0.2",
        "SKYTRAIL_LEASE_SECONDS": "6",
        "SKYTRAIL_TASK_MODULES": "tests.workers.sabotage",
        "TMPDIR": str(folder),
    }
    redis.Redis.from_url(settings.SKYTRAIL_REDIS_URL).flushdb()
    command = [sys.executable, "-m", "skytrail.cli", "worker", "--name=deaf", "--concurrency=1"]
    log = folder / "log"
    with log.open("ab") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    yield process, log
    process.kill()
    process.wait()


@pytest.fixture
def flock(
    worker: tuple[subprocess.Popen[bytes], Path],
    committing: None,
    dispatcher: RecordingDispatcher,
) -> Iterator[Flock]:
    """It listens, and has said nothing yet."""
    process, log = worker
    found = Flock(process, log, dispatcher)
    try:
        wait_until(
            Worker.objects.filter(name__startswith="deaf@", stopped_at=None).exists,
            timeout=40,
            what="the worker has reported itself",
        )
        found.does(found.send())
        os.truncate(log, 0)
        yield found
    finally:
        print(found.said()[-5000:])  # noqa: T201  # shown on failure


def test_an_idle_one_hears_its_canaries_and_leaves_none_behind(flock: Flock) -> None:
    queue = queue_of(Worker.objects.get(name__startswith="deaf@").name).name
    broker: Any = redis.Redis.from_url(settings.SKYTRAIL_REDIS_URL)
    with broker.monitor() as heard:
        said = (line["command"] for line in heard.listen())
        assert f"EXPIRE {queue} 60" in said
    wait_until(lambda: broker.llen(queue) == 0)
    assert "receives nothing" not in flock.said()


def test_a_busy_one_is_left_alone(flock: Flock, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    gate = tmp_path / "gate"
    busy = flock.send("bash", command=f"until [ -e {gate} ]; do sleep 0.05; done")
    wait_until(lambda: flock.is_in(busy, "running"), timeout=30, what="it is at work")
    waiting = flock.send()
    beats: set[Any] = set()

    def three_seconds_have_passed() -> bool:  # by its own heart: more than a dozen looks
        beats.add(Worker.objects.get(name__startswith="deaf@").last_heartbeat)
        return len(beats) > 4

    wait_until(three_seconds_have_passed, timeout=30)
    gate.touch()
    flock.does(waiting)
    assert "receives nothing" not in flock.said()


def test_one_that_has_stopped_listening_connects_anew(flock: Flock) -> None:
    before = flock.pool()
    flock.do("stop_listening")
    flock.does(flock.send())
    assert "it connects anew" in flock.said()
    assert flock.pool() == before, "that was enough"


def test_one_that_connecting_does_not_help_starts_anew_in_the_same_process(flock: Flock) -> None:
    before = flock.pool()
    flock.do("lose_count")
    flock.does(flock.send())
    assert "it starts anew" in flock.said()
    assert flock.process.poll() is None
    assert not flock.pool() & before
    flock.process.send_signal(signal.SIGTERM)
    assert flock.process.wait(timeout=30) == 0, "and it stops when it is told to"


# ---------------------------------------------------- one look after another


class Sky:
    """A canary over a broker and a pool that are up to the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.jobs: dict[int, object] = {}
        self.soon: list[Any] = []
        self.restarts = 0
        self.sent = 0
        self.broker_is_away = False
        pool = SimpleNamespace(_pool=SimpleNamespace(_cache=self.jobs), num_processes=2)
        hub = SimpleNamespace(call_soon=self.soon.append)
        restart = Restart()
        monkeypatch.setattr(restart, "begin", self._begin)
        monkeypatch.setattr(Canary, "_send_one", lambda _: self._send())
        monkeypatch.setattr(module, "line", Line())
        monkeypatch.setattr("workers.broker.line.PAUSE", 0.0)
        consumer = SimpleNamespace(hostname="worker@here", pool=pool, hub=hub)
        self.canary = Canary(consumer, restart)
        self.look()  # whatever has been heard in this process before
        self.canary = Canary(consumer, restart)

    def look(self, times: int = 1) -> None:
        for _ in range(times):
            self.canary._look()

    def _begin(self, _: object) -> None:
        self.restarts += 1

    def _send(self) -> None:
        if self.broker_is_away:
            raise OSError("nobody there")
        self.sent += 1


@pytest.fixture
def sky(monkeypatch: pytest.MonkeyPatch) -> Sky:
    return Sky(monkeypatch)


LONG = MAY_STAY_OUT + 1


def test_first_it_connects_anew_and_then_it_starts_anew(sky: Sky) -> None:
    hear()
    sky.look()
    sky.look(LONG)
    assert (len(sky.soon), sky.restarts) == (1, 0)
    with pytest.raises(ConnectionError):
        sky.soon[0]()
    sky.look(LONG)
    assert (len(sky.soon), sky.restarts) == (1, 1)


def test_whatever_arrives_is_a_sign_of_life(sky: Sky) -> None:
    for _ in range(LONG):
        sky.look(LONG - 1)
        hear()
    assert (len(sky.soon), sky.restarts) == (0, 0)


def test_one_that_receives_work_sends_no_canaries(sky: Sky) -> None:
    for _ in range(LONG):
        hear()
        sky.look()
    assert sky.sent == 0


def test_one_that_is_full_expects_nothing(sky: Sky) -> None:
    sky.look(LONG - 1)
    sky.jobs.update({1: object(), 2: object()})
    sky.look(LONG * 3)
    sky.jobs.pop(1)
    sky.look(LONG - 1)
    assert (len(sky.soon), sky.restarts) == (0, 0)
    sky.look()
    assert len(sky.soon) == 1, "one slot has been free for long enough"


def test_a_broker_that_is_away_is_not_its_fault(sky: Sky) -> None:
    sky.look(LONG - 1)
    sky.broker_is_away = True
    sky.look(LONG * 3)
    sky.broker_is_away = False
    sky.look(LONG - 1)
    assert (len(sky.soon), sky.restarts) == (0, 0)


def test_one_that_never_heard_anything_does_not_start_again_and_again(
    sky: Sky, caplog: pytest.LogCaptureFixture
) -> None:
    sky.look(LONG * 5)
    assert (len(sky.soon), sky.restarts) == (1, 0)
    assert "has received nothing since its start" in caplog.text


# ---------------------------------------------------- starting again


@pytest.fixture
def returned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The programs that this process would have become."""
    returned: list[str] = []
    monkeypatch.setattr(os, "execv", lambda program, _: returned.append(program))
    monkeypatch.setattr(os, "kill", lambda *_: None)
    monkeypatch.setattr(restarting, "OVERTIME", 0.0)
    monkeypatch.setattr(settings, "SKYTRAIL_STOP_GRACE_SECONDS", 0.0)
    return returned


def test_one_that_is_told_to_stop_meanwhile_does_not_return(returned: list[str]) -> None:
    restart = Restart()
    restart._wanted, restart._own_signals = True, 1
    restart.told_to_stop()
    restart.told_to_stop()
    restart.return_if_wanted()
    assert returned == []


def test_one_that_does_not_stop_returns_by_force(returned: list[str]) -> None:
    Restart().begin(SimpleNamespace(_pool=SimpleNamespace(_pool=[SimpleNamespace(pid=0)])))
    assert returned == [sys.executable]


def test_one_that_is_merely_told_to_stop_does_not_return(returned: list[str]) -> None:
    restart = Restart()
    restart.told_to_stop()
    restart.return_if_wanted()
    assert returned == []
