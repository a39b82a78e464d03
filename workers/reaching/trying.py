"""Tries a connection, as a task would use it, within a time."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

from skytrail.errors import SkytrailError
from skytrail.security.redaction import Redactor
from skytrail.security.secrets.finding import find_connection
from skytrail.security.secrets.testing import Tested
from skytrail.security.secrets.values import ConnectionValue
from workers.executors import http_connection
from workers.reaching import databases, websites
from workers.reaching.verdict import Verdict

#: So long a test may take, in seconds.
LIMIT = 10.0


def try_connection(conn_id: str, *, limit: float = LIMIT) -> Tested:
    """Looks the connection up, and tries it. Raises nothing that is to be expected."""
    try:
        value = find_connection(conn_id)
    except SkytrailError as error:
        details = "; ".join(f"{problem.path}: {problem.message}" for problem in error.problems)
        return _tested(Verdict("failed", " ".join(filter(None, [error.message, details]))))
    verdict = _within(lambda: _verdict(value), limit)
    # What drivers and servers say is theirs: none of it may hold what is secret.
    masked = Redactor(value.secret_values()).text(verdict.message)
    return _tested(Verdict(verdict.status, masked))


def _verdict(value: ConnectionValue) -> Verdict:
    if value.conn_type in http_connection.TYPES:
        return websites.try_website(value)
    if databases.is_database(value.conn_type):
        return databases.try_database(value)
    return Verdict(
        "untestable",
        f"connections of type {value.conn_type} cannot be tested; those to http, https and to "
        "databases can",
    )


def _within(attempt: Callable[[], Verdict], limit: float) -> Verdict:
    """Drivers wait in C, where nothing reaches them: a thread waits there, and is left alone when
    its time is up.
    """
    found: list[Verdict] = []

    def work() -> None:
        try:
            found.append(attempt())
        except Exception as error:  # noqa: BLE001  # a driver's own; the text may hold anything
            found.append(Verdict("failed", f"{type(error).__name__}: {error}"))

    thread = threading.Thread(target=work, name="skytrail-connection-test", daemon=True)
    thread.start()
    thread.join(limit)
    return found[0] if found else Verdict("failed", f"no answer within {limit:g} s")


def _tested(verdict: Verdict) -> Tested:
    return Tested(status=verdict.status, message=verdict.message, where=socket.gethostname())
