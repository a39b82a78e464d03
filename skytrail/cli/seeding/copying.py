"""Rows on their way into the database by COPY: constraints and triggers look at each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import connection, models
from django.db.models.expressions import DatabaseDefault
from psycopg import sql

#: NULL in COPY's text.
NULL = "\\N"

_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def text(value: str) -> str:
    """`value` as a field of COPY's text format."""
    return value.translate(_ESCAPES)


def line(*fields: object) -> str:
    """A row in COPY's text format, of fields that are escaped or need not be; None is NULL."""
    return "\t".join([NULL if each is None else str(each) for each in fields]) + "\n"


class Ledger:
    """Lines in COPY's text format that wait to be written, by table."""

    def __init__(self, columns: Mapping[str, Sequence[str]]) -> None:
        """`columns` of each table, in the order in which the tables are to be written."""
        self.columns = columns
        self.lines: dict[str, list[str]] = {table: [] for table in columns}
        self.written: Counter[str] = Counter()

    def write(self) -> None:
        """Copies everything that waits. The caller holds the transaction."""
        for table, lines in self.lines.items():
            if lines:
                _copy(table, self.columns[table], "".join(lines))
                self.written[table] += len(lines)
                lines.clear()


def _copy(table: str, columns: Sequence[str], lines: str) -> None:
    with connection.wrap_database_errors, _cursor().copy(_statement(table, columns)) as copy:
        copy.write(lines)


def copy_models(rows: Sequence[models.Model]) -> None:
    """Copies instances of one model; what the first leaves to the database, all do."""
    if not rows:
        return
    meta = rows[0]._meta  # noqa: SLF001  # Django's own way
    fields = [
        field
        for field in meta.concrete_fields
        if not field.generated and not isinstance(getattr(rows[0], field.attname), DatabaseDefault)
    ]
    statement = _statement(meta.db_table, [str(field.column) for field in fields])
    with connection.wrap_database_errors, _cursor().copy(statement) as copy:
        for row in rows:
            copy.write_row([_value(row, field) for field in fields])


def _value(row: models.Model, field: models.Field[Any, Any]) -> Any:
    return field.get_db_prep_save(getattr(row, field.attname), connection)


def _statement(table: str, columns: Sequence[str]) -> sql.Composed:
    return sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )


def _cursor() -> psycopg.Cursor[Any]:
    connection.ensure_connection()
    # Not Django's cursor: it knows no COPY.
    return psycopg.Cursor(connection.connection)
