"""Taking over connections and variables from a file, as Airflow exports them: all, or none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from skytrail.errors import Conflict, Invalid, Problem, SkytrailError, listed
from skytrail.security.models import Connection, Variable
from skytrail.security.redaction import MASK, looks_secret
from skytrail.security.secrets import keeping
from skytrail.security.secrets.names import checked_name
from skytrail.security.secrets.outside import CONNECTION, VARIABLE
from skytrail.security.secrets.shown import has_mask, with_kept
from skytrail.security.secrets.values import ConnectionValue
from skytrail.security.secrets.writing import MAX_FIELD, MAX_VALUE, text_problems

#: What a variable's entry may have, where it says more than the value.
_VARIABLE_FIELDS = {"value", "description", "is_secret"}


class ImportInvalid(Invalid):
    """The file cannot be imported, and nothing of it has been."""


class AlreadyThere(Conflict):
    """Nothing was imported: {names} there already. To replace what is there, say --overwrite."""


@dataclass(frozen=True, kw_only=True)
class Imported:
    """The names of what is new, and of what was replaced."""

    added: list[str]
    replaced: list[str]


@dataclass(frozen=True, kw_only=True)
class _Variable:
    key: str
    value: str
    is_secret: bool
    description: str


@transaction.atomic
def import_connections(document: Any, *, overwrite: bool = False) -> Imported:
    """`{name: {"conn_type": …, …}}`, or `{name: uri}`.

    Raises `ImportInvalid`, `AlreadyThere`, and what `keep_connection` does.
    """
    values = _read(document, _connection)
    found = Connection.objects.select_for_update().filter(conn_id__in=values)
    imported = _compared(values, {row.conn_id for row in found}, overwrite=overwrite)
    for value, description in values.values():
        keep = keeping.keep_connection if overwrite else keeping.create_connection
        keep(value, description=description)
    return imported


@transaction.atomic
def import_variables(
    document: Any, *, overwrite: bool = False, all_secret: bool = True
) -> Imported:
    """`{key: text}`, or `{key: {"value": …, "description": …, "is_secret": …}}`; what is no text is
    kept as JSON. Where the file does not say which are secret, all are, or else those whose names
    look like it.

    Raises `ImportInvalid`, `AlreadyThere`, and what `keep_variable` does.
    """

    def variable(key: str, entry: Any) -> _Variable:
        return _variable(key, entry, all_secret=all_secret)

    values = _read(document, variable)
    found = Variable.objects.select_for_update().filter(key__in=values)
    imported = _compared(values, {row.key for row in found}, overwrite=overwrite)
    for value in values.values():
        keep = keeping.keep_variable if overwrite else keeping.create_variable
        keep(
            value.key,
            value.value,
            is_secret=value.is_secret,
            description=value.description,
        )
    return imported


def _read(document: Any, read: Any) -> dict[str, Any]:
    """What each entry says. Raises `ImportInvalid` with what is wrong with any of them."""
    if not isinstance(document, Mapping):
        hint = "write one object, with a name before each entry"
        raise ImportInvalid(problems=[Problem("", "not_an_object", hint)])
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, entry in document.items():
        try:
            if not isinstance(name, str):
                raise Invalid.because("", "no_name", "a name has to be a text")
            values[name] = read(name, entry)
        except SkytrailError as error:
            found = error.problems or [Problem("", error.code, error.message)]
            problems += [problem.within(str(name)[:80]) for problem in found]
    if problems:
        raise ImportInvalid(problems=problems)
    return values


def _connection(name: str, entry: Any) -> tuple[ConnectionValue, str]:
    checked_name(name, what=CONNECTION)
    if isinstance(entry, str):
        return ConnectionValue.from_text(name, entry), ""
    if not isinstance(entry, Mapping):
        raise Invalid.because("", "no_object", "write the connection's fields, or its URI")
    # Airflow writes down its own names for these, which mean nothing elsewhere.
    fields = {key: value for key, value in entry.items() if key not in {"id", "is_encrypted"}}
    value = ConnectionValue.from_json(name, with_kept(name, fields))
    return value, str(fields.get("description") or "")


def _variable(key: str, entry: Any, *, all_secret: bool) -> _Variable:
    checked_name(key, what=VARIABLE)
    fields: Mapping[str, Any] = {"value": entry}
    if isinstance(entry, Mapping) and "value" in entry and _VARIABLE_FIELDS.issuperset(entry):
        fields = entry
    value = fields["value"]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    description = fields.get("description") or ""
    is_secret = fields.get("is_secret")
    problems = text_problems("value", text, limit=MAX_VALUE)
    problems += text_problems("description", description, limit=MAX_FIELD)
    if text == MASK or (not isinstance(value, str) and has_mask(value)):
        hint = f"{MASK} stands for a secret that was not exported; write the value itself"
        problems.append(Problem("value", "nothing_kept", hint))
    if not isinstance(is_secret, bool | None):
        problems.append(Problem("is_secret", "no_boolean", "this is true, or false"))
    if problems:
        raise keeping.VariableInvalid(key=key, problems=problems)
    if is_secret is None:
        is_secret = all_secret or looks_secret(key)
    return _Variable(key=key, value=text, is_secret=bool(is_secret), description=description)


def _compared(values: Mapping[str, Any], found: set[str], *, overwrite: bool) -> Imported:
    if found and not overwrite:
        verb = "is" if len(found) == 1 else "are"
        raise AlreadyThere(names=f"{listed(sorted(found))} {verb}")
    return Imported(
        added=sorted(name for name in values if name not in found), replaced=sorted(found)
    )
