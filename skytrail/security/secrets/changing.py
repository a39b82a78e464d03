"""Changing what the database holds, as people send it: `***` stands for what is kept already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from skytrail.errors import Invalid, Problem
from skytrail.security.models import Connection, Variable
from skytrail.security.redaction import MASK
from skytrail.security.secrets.keeping import (
    ConnectionNotKept,
    VariableInvalid,
    VariableNotKept,
    create_connection,
    create_variable,
    keep_connection,
    keep_variable,
)
from skytrail.security.secrets.sealing import opened_connection, opened_variable
from skytrail.security.secrets.shown import has_mask, with_kept
from skytrail.security.secrets.values import ConnectionValue


class KeepsItsName(Invalid):
    """What is found by its name cannot be renamed: tasks name it."""


def add_connection(conn_id: str, fields: Mapping[str, Any]) -> Connection:
    """A new connection of these fields. Raises `ConnectionExists`, `ConnectionInvalid`, `NoKey`."""
    given = with_kept(conn_id, fields)
    description = given.pop("description", "")
    return create_connection(ConnectionValue.from_json(conn_id, given), description=description)


@transaction.atomic
def change_connection(conn_id: str, changes: Mapping[str, Any]) -> Connection:
    """Changes the fields that are given, and keeps the others.

    Raises `ConnectionNotKept`, `ConnectionInvalid`, `CannotBeDecrypted`, `NoKey`.
    """
    row = _locked_connection(conn_id)
    old = opened_connection(row)
    fields = {
        "conn_type": old.conn_type,
        **old.fields(),
        "description": row.description,
        **with_kept(conn_id, changes, old),
    }
    description = fields.pop("description")
    return keep_connection(ConnectionValue.from_json(conn_id, fields), description=description)


@transaction.atomic
def replace_connection(conn_id: str, fields: Mapping[str, Any]) -> Connection:
    """The same connection with these fields and no others. What is kept is only read where `***`
    stands for some of it, so that a connection can be saved anew whose key is lost.

    Raises as `change_connection` does.
    """
    row = _locked_connection(conn_id)
    given = with_kept(conn_id, fields, opened_connection(row) if has_mask(fields) else None)
    description = given.pop("description", "")
    return keep_connection(ConnectionValue.from_json(conn_id, given), description=description)


def add_variable(
    key: str, value: str, *, is_secret: bool = True, description: str = ""
) -> Variable:
    """A new variable. Raises `VariableExists`, `VariableInvalid`, `NoKey`."""
    if value == MASK:
        raise _nothing_kept(key)
    return create_variable(key, value, is_secret=is_secret, description=description)


@transaction.atomic
def change_variable(key: str, changes: Mapping[str, Any]) -> Variable:
    """Changes `value`, `is_secret` and `description`, whichever are given.

    A secret one is not made readable by that alone: its value has to be given anew. Raises
    `VariableNotKept`, `VariableInvalid`, `CannotBeDecrypted`, `NoKey`.
    """
    row = Variable.objects.select_for_update().filter(key=key).first()
    if row is None:
        raise VariableNotKept(key=key)
    is_secret = changes.get("is_secret", row.is_secret)
    value = changes.get("value")
    if value == MASK and not row.is_secret:
        raise _nothing_kept(key)
    if value is None or value == MASK:
        if row.is_secret and not is_secret:
            hint = "a secret is not made readable; send its value along, or make a new variable"
            raise VariableInvalid(key=key, problems=[Problem("is_secret", "stays_secret", hint)])
        value = opened_variable(row).value
    description = changes.get("description", row.description)
    return keep_variable(key, value, is_secret=is_secret, description=description)


def check_name_kept(name: str, given: str | None, *, path: str) -> None:
    """Raises `KeepsItsName` where another name is given than the one that it has."""
    if given not in {None, name}:
        hint = f"this one is named {name!r}; make a new one, and delete this one"
        raise KeepsItsName.because(path, "name_mismatch", hint)


def _locked_connection(conn_id: str) -> Connection:
    row = Connection.objects.select_for_update().filter(conn_id=conn_id).first()
    if row is None:
        raise ConnectionNotKept(conn_id=conn_id)
    return row


def _nothing_kept(key: str) -> VariableInvalid:
    hint = f"{MASK} stands for nothing here; write the value itself"
    return VariableInvalid(key=key, problems=[Problem("value", "nothing_kept", hint)])
