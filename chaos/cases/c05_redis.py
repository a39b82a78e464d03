"""C5: Redis restarts, forgets, stands still, throws everybody out, is full, takes no changes."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import redis

from chaos.case import Case, Goal, at_most, exactly
from chaos.flow import executed_again, longest_of, spoken, went_on_after
from chaos.probe import goals_for, with_ping
from chaos.stage import Stage
from chaos.troubles import Trouble, one_after_the_other
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


TROUBLES = (
    Trouble("restarted", restart, times=2),
    Trouble("restarted empty", restart_empty, times=2, short=1),
    Trouble("was flushed", flush, times=3),
    Trouble("stood still", stand_still, times=1, short=1),
    Trouble("threw everybody out", throw_out, times=1),
    Trouble("was full", be_full, times=1, short=1),
    Trouble("took no changes", take_no_changes, times=1),
)


def inject(stage: Stage) -> None:
    """Leases are no matter of Redis's, so it explains no loss."""
    one_after_the_other(stage, TROUBLES, within=_BACK_WITHIN, takes="none")


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
