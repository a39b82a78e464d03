"""Looking up by name: in the environment first, then in mounted files, then in the database."""

from __future__ import annotations

from skytrail.errors import NotFound
from skytrail.security.models import Connection, Variable
from skytrail.security.secrets.outside import (
    CONNECTION,
    VARIABLE,
    connection_outside,
    environment_name,
    file_of,
    variable_outside,
)
from skytrail.security.secrets.sealing import opened_connection, opened_variable
from skytrail.security.secrets.values import ConnectionValue, VariableValue


class ConnectionMissing(NotFound):
    """There is no connection {conn_id}: not in the environment as {variable}, not as {file}, and
    not in the database. Add it with `skytrail connections add {conn_id}`.
    """


class VariableMissing(NotFound):
    """There is no variable {key}: not in the environment as {variable}, not as {file}, and not in
    the database. Set it with `skytrail variables set {key}`.
    """


def find_connection(conn_id: str) -> ConnectionValue:
    """The connection of this name. Raises `ConnectionMissing`, or what makes it unusable where it
    is found first: `NameUnusable`, `ConnectionInvalid`, `SecretFileUnreadable`,
    `CannotBeDecrypted`, `NoKey`.
    """
    if (value := connection_outside(conn_id)) is not None:
        return value
    row = Connection.objects.filter(conn_id=conn_id).first()
    if row is None:
        variable, file = _places(CONNECTION, conn_id)
        raise ConnectionMissing(conn_id=conn_id, variable=variable, file=file)
    return opened_connection(row)


def find_variable(key: str) -> str:
    """The text of the variable of this name. Raises as `look_up_variable` does."""
    return look_up_variable(key).value


def look_up_variable(key: str) -> VariableValue:
    """The variable of this name, with whether it is secret. Raises `VariableMissing`, or what makes
    it unusable where it is found first: `NameUnusable`, `SecretFileUnreadable`,
    `CannotBeDecrypted`, `NoKey`.
    """
    if (value := variable_outside(key)) is not None:
        return value
    row = Variable.objects.filter(key=key).first()
    if row is None:
        variable, file = _places(VARIABLE, key)
        raise VariableMissing(key=key, variable=variable, file=file)
    return opened_variable(row)


def _places(what: str, name: str) -> tuple[str, str]:
    file = file_of(what, name)
    return (
        environment_name(what, name),
        f"the file {file}" if file else "a file (SKYTRAIL_SECRETS_DIR is not set)",
    )
