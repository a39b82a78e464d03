"""Everything that can be looked up by name from here, and where each is found first."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from skytrail.errors import SkytrailError
from skytrail.security.models import Connection, Variable
from skytrail.security.secrets.names import is_name
from skytrail.security.secrets.outside import (
    CONNECTION,
    VARIABLE,
    connection_outside,
    environment_name,
    environment_prefix,
    file_of,
    folder_of,
    variable_outside,
)

ENVIRONMENT, FILE, DATABASE = "environment", "file", "database"


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A connection or a variable without what it holds.

    `hides` are the places where it is too, and is not looked for; `problem` says why it cannot be
    used.
    """

    name: str
    source: str
    about: Any = None
    description: str = ""
    hides: tuple[str, ...] = ()
    problem: str = ""


def connections_here() -> list[Listed]:
    """All connections by name; `about` is the type, None where that cannot be read."""
    rows = {
        row.conn_id: (row.conn_type, row.description)
        for row in Connection.objects.only("conn_id", "conn_type", "description")
    }

    def kind(name: str) -> str | None:
        value = connection_outside(name)
        return value.conn_type if value else None

    return list(_listed(CONNECTION, rows, kind))


def variables_here() -> list[Listed]:
    """All variables by name; `about` says whether it is secret, None where it cannot be read."""
    rows = {
        row.key: (row.is_secret, row.description)
        for row in Variable.objects.only("key", "is_secret", "description")
    }

    def is_secret(key: str) -> bool | None:
        value = variable_outside(key)
        return value.is_secret if value else None

    return list(_listed(VARIABLE, rows, is_secret))


def source_of(what: str, name: str) -> str:
    """Where it is found first, if it is anywhere."""
    return next(iter(_outside(what, name)), DATABASE)


def _listed(
    what: str, rows: Mapping[str, tuple[Any, str]], about: Callable[[str], Any]
) -> Iterator[Listed]:
    for name in sorted(_names(what, rows)):
        places = [*_outside(what, name), *([DATABASE] if name in rows else [])]
        if not places:
            continue  # a file that has gone meanwhile
        source, *hides = places
        kind, description, problem = None, "", ""
        if source == DATABASE:
            kind, description = rows[name]
        else:
            try:
                kind = about(name)
            except SkytrailError as error:
                problem = " ".join([error.message, *(each.message for each in error.problems)])
        yield Listed(
            name=name,
            source=source,
            about=kind,
            description=description,
            hides=tuple(hides),
            problem=problem,
        )


def _names(what: str, rows: Iterable[str]) -> set[str]:
    names = {*rows, *_files(what)}
    # Several names may lead to one variable; one that nothing else names is written in small.
    known = {environment_name(what, name) for name in names}
    prefix = environment_prefix(what)
    for variable in os.environ:
        name = variable.removeprefix(prefix).lower()
        if variable.startswith(prefix) and variable not in known and is_name(name):
            names.add(name)
    return names


def _files(what: str) -> Iterator[str]:
    folder = folder_of(what)
    try:
        entries = list(os.scandir(folder)) if folder else []
    except OSError:
        return  # what cannot be listed may still be read by name
    for entry in entries:
        # Kubernetes keeps the true files in a folder beside.
        if is_name(entry.name) and entry.is_file():
            yield entry.name


def _outside(what: str, name: str) -> Iterator[str]:
    if environment_name(what, name) in os.environ:
        yield ENVIRONMENT
    file = file_of(what, name)
    if file is not None and file.exists():
        yield FILE
