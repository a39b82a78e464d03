"""Artifacts: what is too large for a row, and stands there as a handle."""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any
from uuid import UUID

from runs_app.domain.lifetimes import BadLifetime, lifetime
from skytrail.errors import Conflict, Invalid, NotFound, Problem
from skytrail.store import HANDLE

#: Characters of an artifact's name, and of a media type.
MAX_NAME = 200
MAX_MEDIA_TYPE = 200

#: What is kept of no particular kind (RFC 2046 §4.5.1).
BYTES = "application/octet-stream"

_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(; *[\w.-]+=[\w.\"-]+)*", re.ASCII)


class BadArtifact(Invalid):
    """The artifact cannot be kept like this."""


class ArtifactOvertaken(Conflict):
    """This execution of {task_id} counts no more: another has taken over, or it was given up. Its
    artifact was refused.
    """


class ArtifactGone(NotFound):
    """The artifact {id} is there no more: it was kept until {until}. Run the task again that made
    it, and have it keep it longer (ttl=, or SKYTRAIL_ARTIFACT_DAYS).
    """


class NoSuchArtifact(NotFound):
    """There is no artifact {id}: it was never kept as a whole, or went with its run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    """Stands for an artifact wherever JSON goes. `size` is in bytes, `sha256` hexadecimal."""

    id: UUID
    name: str
    media_type: str
    size: int
    sha256: str
    #: When it is forgotten; None: with the run that it is of.
    expires_at: datetime | None = None
    #: Whether it is nothing but an output that is too large for a row, and is read as that.
    is_output: bool = False

    def as_json(self) -> dict[str, Any]:
        """Itself as an object; `handle_in` reads it."""
        told = {
            HANDLE: str(self.id),
            "name": self.name,
            "media_type": self.media_type,
            "size": self.size,
            "sha256": self.sha256,
            "expires_at": self.expires_at.isoformat() if self.expires_at else None,
        }
        return {**told, "is_output": True} if self.is_output else told


def handle_in(value: Any) -> Handle | None:
    """The handle that a JSON value is; None where it is something else."""
    if not isinstance(value, dict) or HANDLE not in value:
        return None
    try:
        until = value.get("expires_at")
        return Handle(
            id=UUID(value[HANDLE]),
            name=str(value["name"]),
            media_type=str(value["media_type"]),
            size=int(value["size"]),
            sha256=str(value["sha256"]),
            expires_at=datetime.fromisoformat(until) if until else None,
            is_output=value.get("is_output") is True,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToKeep:
    """What an artifact is to be, before it is one."""

    name: str
    media_type: str
    #: For how long; None: as long as the installation keeps artifacts.
    ttl: timedelta | None = None
    is_output: bool = False


def to_keep(
    name: str, *, media_type: str | None = None, ttl: timedelta | float | None = None
) -> ToKeep:
    """What somebody wants kept, checked; the media type is guessed from the name where it is not
    given, and a number for `ttl` is in seconds. Raises `BadArtifact`.
    """
    if not isinstance(name, str) or name in {"", ".", ".."} or PurePath(name).name != name:
        raise _bad("name", "give the name of a file, without folders")
    if len(name) > MAX_NAME or not name.isprintable():
        raise _bad("name", f"use at most {MAX_NAME} printable characters")
    kind = media_type or mimetypes.guess_type(name)[0] or BYTES
    if len(kind) > MAX_MEDIA_TYPE or not _MEDIA_TYPE.fullmatch(kind):
        raise _bad("media_type", "give one like text/html, or leave it out")
    try:
        return ToKeep(name=name, media_type=kind, ttl=lifetime(ttl))
    except BadLifetime as error:
        raise _bad("ttl", str(error)) from None


def file_name(text: str) -> str:
    """A name for a file, of a name that anybody may have made up: a handle is JSON like any other,
    and an output's name any text.
    """
    name = PurePath(text).name
    return name if name.isprintable() and name not in {"", ".."} else "artifact"


def key_of(artifact_id: UUID, dag_id: str, name: str) -> str:
    """Where in the store it is: a folder a DAG, and in it one for itself."""
    return f"{_plain(dag_id)}/{artifact_id}/{_plain(name)[-100:]}"


def _plain(text: str) -> str:
    return re.sub(r"[^\w.-]", "_", text, flags=re.ASCII).lstrip(".") or "_"


def _bad(path: str, message: str) -> BadArtifact:
    return BadArtifact(problems=[Problem(path, "bad_artifact", message)])
