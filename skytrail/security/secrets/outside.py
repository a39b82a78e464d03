"""Connections and variables that come with the process: its environment, and files mounted for it.

They go before what the database holds, so that an operator can give a process its own, and secrets
of a container platform need to be stored nowhere else.
"""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings

from skytrail.errors import Unavailable
from skytrail.security.redaction import looks_secret
from skytrail.security.secrets.names import checked_name, variable_for
from skytrail.security.secrets.values import ConnectionValue, VariableValue
from skytrail.security.secrets.writing import MAX_VALUE

CONNECTION, VARIABLE = "connection", "variable"

_PREFIX = {CONNECTION: "SKYTRAIL_CONN_", VARIABLE: "SKYTRAIL_VAR_"}
_FOLDER = {CONNECTION: "connections", VARIABLE: "variables"}


class SecretFileUnreadable(Unavailable):
    """The {what} {name} is to be read from the file {file}, but that cannot be done: {reason}.
    It is not looked for elsewhere meanwhile.
    """


def connection_outside(conn_id: str) -> ConnectionValue | None:
    """The connection that the environment, or else a file, holds. Raises `NameUnusable`,
    `ConnectionInvalid`, `SecretFileUnreadable`.
    """
    text = _from_environment(CONNECTION, conn_id)
    if text is None:
        text = _from_file(CONNECTION, conn_id)
    return None if text is None else ConnectionValue.from_text(conn_id, text)


def variable_outside(key: str) -> VariableValue | None:
    """The variable that the environment, or else a file, holds: what is mounted is secret, what
    stands in the environment is if its name says so. Raises `NameUnusable`, `SecretFileUnreadable`.
    """
    text = _from_environment(VARIABLE, key)
    if text is not None:
        return VariableValue(key=key, value=text, is_secret=looks_secret(key))
    text = _from_file(VARIABLE, key)
    return None if text is None else VariableValue(key=key, value=text, is_secret=True)


def environment_name(what: str, name: str) -> str:
    """The environment variable that a connection or variable of this name is looked for in."""
    return variable_for(_PREFIX[what], checked_name(name, what=what))


def environment_prefix(what: str) -> str:
    """How the names of the environment variables begin that connections or variables stand in."""
    return _PREFIX[what]


def folder_of(what: str) -> Path | None:
    """The folder of their files; None where none is set."""
    folder = settings.SKYTRAIL_SECRETS_DIR
    return Path(folder) / _FOLDER[what] if folder else None


def file_of(what: str, name: str) -> Path | None:
    """The file that it is looked for in; None where no folder is set."""
    folder = folder_of(what)
    # No name has a slash, and none is dots alone: it cannot lead out of the folder.
    return folder / checked_name(name, what=what) if folder else None


def _from_environment(what: str, name: str) -> str | None:
    return os.environ.get(environment_name(what, name))


def _from_file(what: str, name: str) -> str | None:
    folder, file = settings.SKYTRAIL_SECRETS_DIR, file_of(what, name)
    if folder is None or file is None:
        return None
    try:
        # Kubernetes mounts links; they may lead about in the folder, and nowhere else.
        real = file.resolve(strict=True)
        if not real.is_relative_to(Path(folder).resolve()):
            raise _unreadable(what, name, file, "it is a link that leads out of the folder")
        if not real.is_file():
            raise _unreadable(what, name, file, "it is no file")
        with real.open(encoding="utf-8", newline="") as opened:
            text = opened.read(MAX_VALUE + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError:
        raise _unreadable(what, name, file, "it is no text in UTF-8") from None
    except OSError as error:
        raise _unreadable(what, name, file, error.strerror or "it cannot be opened") from None
    if len(text) > MAX_VALUE:
        raise _unreadable(what, name, file, f"it has more than {MAX_VALUE:,} characters")
    return text.removesuffix("\n").removesuffix("\r")


def _unreadable(what: str, name: str, file: Path, reason: str) -> SecretFileUnreadable:
    return SecretFileUnreadable(what=what, name=name, file=file, reason=reason)
