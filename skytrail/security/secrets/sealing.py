"""Between what is used and what the database holds.

Sealed with each secret is whose it is. Who can write to the database, but has no key, could else
give one connection the password of another, and have it sent to a host of their own.
"""

from __future__ import annotations

import json
from typing import Any

from skytrail.security import vault
from skytrail.security.models import Connection, Variable
from skytrail.security.secrets.values import ConnectionValue, VariableValue
from skytrail.security.vault import CannotBeDecrypted


def sealed_connection(value: ConnectionValue) -> str:
    """What the row of this connection holds. Raises `NoKey`, `KeyUnusable`."""
    return _sealed(f"connection {value.conn_id}", {"type": value.conn_type, **value.fields()})


def opened_connection(row: Connection) -> ConnectionValue:
    """The connection that the row holds. Raises `CannotBeDecrypted`, `NoKey`, `KeyUnusable`."""
    fields = _opened(f"connection {row.conn_id}", row.sealed)
    return ConnectionValue(conn_id=row.conn_id, conn_type=fields.pop("type"), **fields)


def sealed_variable(key: str, value: str) -> str:
    """What the row of this variable holds. Raises `NoKey`, `KeyUnusable`."""
    return _sealed(f"variable {key}", value)


def opened_variable(row: Variable) -> VariableValue:
    """The variable that the row holds. Raises `CannotBeDecrypted`, `NoKey`, `KeyUnusable`."""
    value = _opened(f"variable {row.key}", row.sealed)
    return VariableValue(key=row.key, value=value, is_secret=row.is_secret)


def _sealed(whose: str, content: Any) -> str:
    return vault.seal(json.dumps([whose, content]))


def _opened(whose: str, sealed: str) -> Any:
    found, content = json.loads(vault.unseal(sealed))
    if found != whose:
        raise CannotBeDecrypted
    return content
