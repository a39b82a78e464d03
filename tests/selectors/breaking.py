"""Breaking what must always hold, past everything that guards it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from runs_app.models import DagRun, TaskRun


@contextmanager
def past_the_triggers() -> Iterator[None]:
    """What is written inside, no trigger looks at."""
    _execute("SET session_replication_role = replica")
    try:
        yield
    finally:
        _execute("RESET session_replication_role")


@contextmanager
def without_constraint(table: str, name: str) -> Iterator[None]:
    """The table without one of its constraints; all runs are gone afterwards."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = %s::regclass AND conname = %s",
            [table, name],
        )
        (definition,) = cursor.fetchone()
    _execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    try:
        yield
    finally:
        _forget_runs()
        _execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


@contextmanager
def without_index(name: str) -> Iterator[None]:
    """The database without a unique index; all runs are gone afterwards."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_indexdef(%s::regclass)", [name])
        (definition,) = cursor.fetchone()
    _execute(f"DROP INDEX {name}")
    try:
        yield
    finally:
        _forget_runs()
        _execute(definition)


@contextmanager
def without_trigger(table: str, name: str) -> Iterator[None]:
    """The table with one of its triggers disabled."""
    _execute(f"ALTER TABLE {table} DISABLE TRIGGER {name}")
    try:
        yield
    finally:
        _execute(f"ALTER TABLE {table} ENABLE TRIGGER {name}")


def _forget_runs() -> None:
    TaskRun.objects.all().delete()
    DagRun.objects.all().delete()


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
