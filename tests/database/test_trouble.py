"""Troubles of the database are told apart from mistakes, and told in a line."""

from __future__ import annotations

import io
import logging

import psycopg
import pytest
from django.db import Error as DatabaseError
from django.db import IntegrityError, InterfaceError, InternalError, OperationalError

from skytrail.database.trouble import InALine, Trouble, as_one_of_ours, in_a_line, trouble_of


def raised(kind: type[DatabaseError], state: str | None, text: str = "so it is") -> DatabaseError:
    """As Django raises what the server said."""
    error = kind(text)
    cause = psycopg.errors.lookup(state)(text) if state else psycopg.OperationalError(text)
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (raised(OperationalError, None), Trouble.AWAY),
        (raised(OperationalError, "57P01"), Trouble.AWAY),
        (raised(OperationalError, "57P03"), Trouble.AWAY),
        (raised(OperationalError, "53300"), Trouble.AWAY),
        (InterfaceError("connection already closed"), Trouble.AWAY),
        (raised(InternalError, "25P03"), Trouble.AWAY),
        (raised(InternalError, "25006"), Trouble.READ_ONLY),
        (raised(OperationalError, "40P01"), Trouble.COLLISION),
        (raised(OperationalError, "40001"), Trouble.COLLISION),
        (raised(OperationalError, "55P03"), Trouble.BUSY),
        (raised(OperationalError, "57014"), Trouble.BUSY),
        (raised(InternalError, "25P02"), None),
        (raised(IntegrityError, "23505"), None),
        (ValueError("no"), None),
    ],
)
def test_each_error_is_one_trouble_or_none(error: Exception, trouble: Trouble | None) -> None:
    assert trouble_of(error) is trouble


@pytest.mark.parametrize("trouble", Trouble)
def test_each_trouble_says_what_to_do(trouble: Trouble) -> None:
    error = as_one_of_ours(trouble)
    assert "try again" in error.message
    assert error.code.startswith("database_")


def test_advice_below_is_left_out() -> None:
    assert in_a_line(OperationalError("it is away\n\tIs it running?\n")) == "it is away"
    assert in_a_line(InterfaceError()) == "InterfaceError"


def told(error: Exception) -> str:
    """What stands in the log."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(InALine())
    logger = logging.Logger("somebody's")  # noqa: LOG001  # nobody else's
    logger.addHandler(handler)
    try:
        raise error  # noqa: TRY301  # it needs a traceback
    except Exception:
        logger.exception("Internal Server Error: %s", "/admin/\nand more")
    return stream.getvalue()


def test_the_log_has_a_line_for_a_trouble_and_a_traceback_for_a_mistake() -> None:
    assert told(raised(OperationalError, None, "it is away\nsadly")) == (
        "Internal Server Error: /admin/: the database is in trouble (away): it is away\n"
    )
    assert "Traceback" in told(ValueError("no"))
