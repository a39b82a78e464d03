"""C6: PostgreSQL restarts, crashes, stands still, throws everybody out, takes no changes."""

from __future__ import annotations

import signal
import time

import psycopg

from chaos.case import Case, Goal, at_most, exactly
from chaos.flow import executed_again, longest_of, spoken, went_on_after
from chaos.probe import goals_for, with_ping
from chaos.stage import Stage
from chaos.troubles import Trouble, one_after_the_other
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


TROUBLES = (
    Trouble("restarted", restart_fast, times=3),
    Trouble("restarted at once", restart_immediate, times=3, short=1),
    Trouble("crashed", crash, times=2),
    Trouble("stood still", stand_still, times=2, short=1),
    Trouble("threw everybody out", throw_out, times=2, short=1),
    Trouble("took no changes", take_no_changes, times=2),
)


def inject(stage: Stage) -> None:
    """Each when the one before is got over."""
    one_after_the_other(stage, TROUBLES, within=_BACK_WITHIN)


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
