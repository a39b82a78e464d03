"""C6: PostgreSQL restarts, crashes, stands still, throws everybody out, takes no changes."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import psycopg

from chaos.case import Case, Goal, at_most, exactly
from chaos.flow import executed_again, longest_of, spoken, went_on_after
from chaos.probe import asking, back_at_work, goals_for, got_over, with_ping
from chaos.stage import Stage
from chaos.verdict import Findings

#: Seconds within which everybody works again after a fault.
_BACK_WITHIN = 45.0


def restart_fast(stage: Stage) -> None:
    """As an administrator restarts it: connections end with a word."""
    stage.grounds.postgres.restart(signal.SIGINT)


def restart_immediate(stage: Stage) -> None:
    """Connections end at once, and the log is replayed at the start."""
    stage.grounds.postgres.restart(signal.SIGQUIT)


def crash(stage: Stage) -> None:
    """kill -9 of all its processes."""
    stage.grounds.postgres.kill()
    stage.grounds.postgres.start()


def stand_still(stage: Stage) -> None:
    """SIGSTOP for longer than a lease: connections stand, and nothing answers."""
    with stage.grounds.postgres.halted():
        stage.rest(stage.options.lease * (1.3 if stage.options.short else 2))


def throw_out(stage: Stage) -> None:
    """Everybody's connection is ended, again and again."""
    ends_at = time.monotonic() + stage.options.times(10, 3)
    while time.monotonic() < ends_at:
        stage.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        stage.rest(0.3)


def take_no_changes(stage: Stage) -> None:
    """Read-only for longer than a lease, as a standby is that waits for its promotion."""
    _set_read_only(stage, "on")
    try:
        stage.rest(stage.options.lease * 1.5)
    finally:
        _set_read_only(stage, "off")


FULL: tuple[tuple[str, Callable[[Stage], None], int], ...] = (
    ("restarted", restart_fast, 3),
    ("restarted at once", restart_immediate, 3),
    ("crashed", crash, 2),
    ("stood still", stand_still, 2),
    ("threw everybody out", throw_out, 2),
    ("took no changes", take_no_changes, 2),
)
SHORT = ("restarted at once", "stood still", "threw everybody out")


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
            with stage.during(kind):
                fault(stage)
            labels = [worker.label for worker in stage.workers()]
            back = back_at_work(stage, labels, within=_BACK_WITHIN)
            got_over(stage, within=_BACK_WITHIN)
            idle += [f"{label} after it {kind}" for label in labels if label not in back]


def goals(found: Findings, stage: Stage) -> list[Goal]:
    """Nobody is given up, everybody works again soon, and the API answers all the time."""
    ran, again = executed_again(found)
    went_on = went_on_after(found)
    return [
        Goal(
            f"of {ran} that ran, executed again",
            "; ".join(again) or "none",
            f"{ran // 100} (1 %)",
            len(again) * 100 <= ran,
        ),
        exactly("workers that did not come back", "; ".join(stage.notes["idle"]) or "none", "none"),
        at_most(f"went on after: {spoken(went_on)}; longest", longest_of(went_on), _BACK_WITHIN),
        *goals_for(stage.notes["calls"]),
    ]


def _set_read_only(stage: Stage, value: str) -> None:
    with psycopg.connect(stage.grounds.postgres.url, autocommit=True) as connection:
        if value == "on":
            connection.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        else:
            connection.execute("ALTER SYSTEM RESET default_transaction_read_only")
        connection.execute("SELECT pg_reload_conf()")


CASE = Case(
    id="C6",
    title="PostgreSQL in trouble",
    inject=inject,
    goals=goals,
    dags=with_ping,
    in_short=False,  # tests/acceptance/test_postgres_trouble.py has it
)
