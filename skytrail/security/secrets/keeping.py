"""Saving, deleting and encrypting anew what the database holds of connections and variables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Now

from skytrail.errors import Conflict, Invalid, NotFound, Problem
from skytrail.security import vault
from skytrail.security.models import Connection, SealedField, Variable
from skytrail.security.secrets.names import checked_name
from skytrail.security.secrets.outside import CONNECTION, VARIABLE
from skytrail.security.secrets.sealing import sealed_connection, sealed_variable
from skytrail.security.secrets.values import ConnectionValue
from skytrail.security.secrets.writing import MAX_FIELD, MAX_VALUE, text_problems

#: So many rows are encrypted anew in one transaction.
_BATCH = 200


class ConnectionNotKept(NotFound):
    """The database holds no connection {conn_id}. What comes from the environment or from a file is
    changed there.
    """


class VariableNotKept(NotFound):
    """The database holds no variable {key}. What comes from the environment or from a file is
    changed there.
    """


class VariableInvalid(Invalid):
    """The variable {key} cannot be used as it is written."""


class ConnectionExists(Conflict):
    """There is a connection {conn_id} already. Change that one, or choose another name."""


class VariableExists(Conflict):
    """There is a variable {key} already. Change that one, or choose another name."""


def create_connection(value: ConnectionValue, *, description: str = "") -> Connection:
    """Saves a new connection. Raises `ConnectionExists`, and as `keep_connection` does."""
    columns = _connection_columns(value, description)
    try:
        with transaction.atomic():
            row = Connection.objects.create(conn_id=value.conn_id, **columns)
    except IntegrityError:
        raise ConnectionExists(conn_id=value.conn_id) from None
    row.refresh_from_db()
    return row


def keep_connection(value: ConnectionValue, *, description: str = "") -> Connection:
    """Saves a connection under its name, in place of one that is there.

    Raises `NameUnusable`, `Invalid` for the description, `NoKey`, `KeyUnusable`.
    """
    columns = _connection_columns(value, description)
    row, _ = Connection.objects.update_or_create(
        conn_id=value.conn_id, defaults={**columns, "updated_at": Now()}
    )
    row.refresh_from_db()
    return row


def delete_connection(conn_id: str) -> None:
    """Raises `ConnectionNotKept`."""
    deleted, _ = Connection.objects.filter(conn_id=conn_id).delete()
    if not deleted:
        raise ConnectionNotKept(conn_id=conn_id)


def create_variable(
    key: str, value: str, *, is_secret: bool = True, description: str = ""
) -> Variable:
    """Saves a new variable. Raises `VariableExists`, and as `keep_variable` does."""
    columns = _variable_columns(key, value, description)
    try:
        with transaction.atomic():
            row = Variable.objects.create(key=key, is_secret=is_secret, **columns)
    except IntegrityError:
        raise VariableExists(key=key) from None
    row.refresh_from_db()
    return row


def keep_variable(
    key: str, value: str, *, is_secret: bool = True, description: str = ""
) -> Variable:
    """Saves a variable under its name, in place of one that is there.

    Raises `NameUnusable`, `VariableInvalid`, `NoKey`, `KeyUnusable`.
    """
    columns = _variable_columns(key, value, description)
    row, _ = Variable.objects.update_or_create(
        key=key, defaults={**columns, "is_secret": is_secret, "updated_at": Now()}
    )
    row.refresh_from_db()
    return row


def delete_variable(key: str) -> None:
    """Raises `VariableNotKept`."""
    deleted, _ = Variable.objects.filter(key=key).delete()
    if not deleted:
        raise VariableNotKept(key=key)


def encrypted() -> int:
    """How many secrets the database holds, of whatever kind."""
    return sum(_sealed_rows(model, column).count() for model, column in _sealed_columns())


def encrypt_anew() -> Iterator[int]:
    """Encrypts each secret with what is the first key now; gives the count of each batch.

    Ends early with `CannotBeDecrypted` where a key is missing: what was done stays done, and all of
    it can be read with the keys that are there.
    """
    for model, column in _sealed_columns():
        last = None
        while True:
            rows: models.QuerySet[Any] = _sealed_rows(model, column).order_by("pk")
            if last is not None:
                rows = rows.filter(pk__gt=last)
            with transaction.atomic():
                batch = list(rows.select_for_update().only("pk", column)[:_BATCH])
                for row in batch:
                    setattr(row, column, vault.reseal(getattr(row, column)))
                models.QuerySet(model).bulk_update(batch, [column])
            if not batch:
                break
            last = batch[-1].pk
            yield len(batch)


def _connection_columns(value: ConnectionValue, description: str) -> dict[str, str]:
    checked_name(value.conn_id, what=CONNECTION)
    if problems := text_problems("description", description, limit=MAX_FIELD):
        raise Invalid(problems=problems)
    return {
        "conn_type": value.conn_type,
        "description": description,
        "sealed": sealed_connection(value),
    }


def _variable_columns(key: str, value: str, description: str) -> dict[str, str]:
    checked_name(key, what=VARIABLE)
    problems: list[Problem] = text_problems("value", value, limit=MAX_VALUE)
    problems += text_problems("description", description, limit=MAX_FIELD)
    if problems:
        raise VariableInvalid(key=key, problems=problems)
    return {"description": description, "sealed": sealed_variable(key, value)}


def _sealed_rows(model: type[models.Model], column: str) -> models.QuerySet[Any]:
    return models.QuerySet(model).filter(**{f"{column}__isnull": False})


def _sealed_columns() -> Iterator[tuple[type[models.Model], str]]:
    for model in apps.get_models():
        for field in model._meta.get_fields():  # noqa: SLF001  # documented, in spite of its name
            if isinstance(field, SealedField):
                yield model, field.name
