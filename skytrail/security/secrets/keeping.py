"""Saving, deleting and encrypting anew what the database holds of connections and variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import apps
from django.db import models, transaction
from django.db.models.functions import Now

from skytrail.errors import Invalid, NotFound, Problem
from skytrail.security import vault
from skytrail.security.models import Connection, SealedField, Variable
from skytrail.security.secrets.names import checked_name
from skytrail.security.secrets.outside import CONNECTION, VARIABLE
from skytrail.security.secrets.sealing import opened_connection, sealed_connection, sealed_variable
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


def keep_connection(value: ConnectionValue, *, description: str = "") -> Connection:
    """Saves a connection under its name, in place of one that is there.

    Raises `NameUnusable`, `Invalid` for the description, `NoKey`, `KeyUnusable`.
    """
    checked_name(value.conn_id, what=CONNECTION)
    if problems := text_problems("description", description, limit=MAX_FIELD):
        raise Invalid(problems=problems)
    row, _ = Connection.objects.update_or_create(
        conn_id=value.conn_id,
        defaults={
            "conn_type": value.conn_type,
            "description": description,
            "sealed": sealed_connection(value),
            "updated_at": Now(),
        },
    )
    row.refresh_from_db()
    return row


@transaction.atomic
def change_connection(conn_id: str, changes: Mapping[str, Any]) -> Connection:
    """Changes the fields that are given, and keeps the others.

    Raises `ConnectionNotKept`, `ConnectionInvalid`, `CannotBeDecrypted`, `NoKey`.
    """
    row = Connection.objects.select_for_update().filter(conn_id=conn_id).first()
    if row is None:
        raise ConnectionNotKept(conn_id=conn_id)
    old = opened_connection(row)
    description = changes.get("description", row.description)
    fields = {"conn_type": old.conn_type, **old.fields(), **changes}
    fields.pop("description", None)
    return keep_connection(ConnectionValue.from_json(conn_id, fields), description=description)


def delete_connection(conn_id: str) -> None:
    """Raises `ConnectionNotKept`."""
    deleted, _ = Connection.objects.filter(conn_id=conn_id).delete()
    if not deleted:
        raise ConnectionNotKept(conn_id=conn_id)


def keep_variable(
    key: str, value: str, *, is_secret: bool = True, description: str = ""
) -> Variable:
    """Saves a variable under its name, in place of one that is there.

    Raises `NameUnusable`, `VariableInvalid`, `NoKey`, `KeyUnusable`.
    """
    checked_name(key, what=VARIABLE)
    problems: list[Problem] = text_problems("value", value, limit=MAX_VALUE)
    problems += text_problems("description", description, limit=MAX_FIELD)
    if problems:
        raise VariableInvalid(key=key, problems=problems)
    row, _ = Variable.objects.update_or_create(
        key=key,
        defaults={
            "is_secret": is_secret,
            "description": description,
            "sealed": sealed_variable(key, value),
            "updated_at": Now(),
        },
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
    return sum(models.QuerySet(model).count() for model, _ in _sealed_columns())


def encrypt_anew() -> Iterator[int]:
    """Encrypts each secret with what is the first key now; gives the count of each batch.

    Ends early with `CannotBeDecrypted` where a key is missing: what was done stays done, and all of
    it can be read with the keys that are there.
    """
    for model, column in _sealed_columns():
        last = None
        while True:
            rows: models.QuerySet[Any] = models.QuerySet(model).order_by("pk")
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


def _sealed_columns() -> Iterator[tuple[type[models.Model], str]]:
    for model in apps.get_models():
        for field in model._meta.get_fields():  # noqa: SLF001  # documented, in spite of its name
            if isinstance(field, SealedField):
                yield model, field.name
