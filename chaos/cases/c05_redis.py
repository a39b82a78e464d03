"""C5: Redis restarts, forgets, stands still, throws everybody out, is full, takes no changes."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import redis

from chaos.case import Case, Goal, at_most, exactly
from chaos.flow import executed_again, longest_of, spoken, went_on_after
from chaos.probe import asking, back_at_work, goals_for, got_over, with_ping
from chaos.stage import Stage
from chaos.verdict import Findings

#: Seconds within which everybody works again after a fault.
_BACK_WITHIN = 30.0


def restart(stage: Stage) -> None:
    """It comes back with what it had."""
    stage.grounds.valkey.restart()


def restart_empty(stage: Stage) -> None:
    """It comes back with nothing: without persistence, or on another disk."""
    with _client(stage) as client:
        folder = Path(client.config_get("dir")["dir"])
    stage.grounds.valkey.kill()
    shutil.rmtree(folder / "appendonlydir")
    stage.grounds.valkey.start()


def flush(stage: Stage) -> None:
    """FLUSHALL."""
    with _client(stage) as client:
        client.flushall()


def stand_still(stage: Stage) -> None:
    """SIGSTOP: connections stand, and nothing answers."""
    with stage.grounds.valkey.halted():
        stage.rest(stage.options.times(20, 6))


def throw_out(stage: Stage) -> None:
    """Everybody's connection is ended, every few seconds."""
    ends_at = time.monotonic() + stage.options.times(20, 4)
    while time.monotonic() < ends_at:
        with _client(stage) as client:
            for kind in ("normal", "pubsub"):
                client.client_kill_filter(_type=kind, skipme=True)
        stage.rest(stage.options.times(4, 1))


def be_full(stage: Stage) -> None:
    """Out of memory: it gives messages out and takes none."""
    with _client(stage) as client:
        client.config_set("maxmemory", client.info("memory")["used_memory"])
        try:
            stage.rest(stage.options.times(15, 3))
        finally:
            client.config_set("maxmemory", 0)


def take_no_changes(stage: Stage) -> None:
    """Read-only, as after a failover to another server that this one now follows."""
    nobody = stage.grounds.port("a server that is not there")
    with _client(stage) as client:
        client.replicaof("127.0.0.1", nobody)
        try:
            stage.rest(stage.options.times(15, 3))
        finally:
            client.replicaof("NO", "ONE")


FULL: tuple[tuple[str, Callable[[Stage], None], int], ...] = (
    ("restarted", restart, 2),
    ("restarted empty", restart_empty, 2),
    ("was flushed", flush, 3),
    ("stood still", stand_still, 1),
    ("threw everybody out", throw_out, 1),
    ("was full", be_full, 1),
    ("took no changes", take_no_changes, 1),
)
SHORT = ("restarted empty", "stood still", "was full")


def inject(stage: Stage) -> None:
    """In a random order, each when the one before is got over."""
    faults = [
        (kind, fault)
        for kind, fault, times in FULL
        for _ in range(stage.options.times(times, int(kind in SHORT)))
    ]
    stage.random.shuffle(faults)
    idle = stage.notes["idle"] = []
    with asking(stage) as stage.notes["calls"]:
        for kind, fault in faults:
            stage.rest(stage.random.uniform(1, 2))
            with stage.during(kind, takes="none"):  # leases are no matter of Redis's
                fault(stage)
            labels = [worker.label for worker in stage.workers()]
            back = back_at_work(stage, labels, within=_BACK_WITHIN)
            got_over(stage, within=_BACK_WITHIN)
            idle += [f"{label} after it {kind}" for label in labels if label not in back]


def goals(found: Findings, stage: Stage) -> list[Goal]:
    """Nothing is done twice, everybody works again soon, and the API answers all the time."""
    ran, again = executed_again(found)
    went_on = went_on_after(found)
    return [
        exactly(f"of {ran} that ran, executed again", "; ".join(again) or "none", "none"),
        exactly("workers that did not come back", "; ".join(stage.notes["idle"]) or "none", "none"),
        at_most(f"went on after: {spoken(went_on)}; longest", longest_of(went_on), _BACK_WITHIN),
        *goals_for(stage.notes["calls"]),
    ]


def _client(stage: Stage) -> redis.Redis:
    return redis.Redis.from_url(stage.grounds.valkey.url, socket_timeout=10)


CASE = Case(
    id="C5",
    title="Redis in trouble",
    inject=inject,
    goals=goals,
    dags=with_ping,
    in_short=False,  # tests/acceptance/test_redis_trouble.py has it
)
