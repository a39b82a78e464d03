"""The state store's words: where a key belongs, and what is kept under it."""

from __future__ import annotations

import enum
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from runs_app.domain import lifetimes
from runs_app.domain.outcomes import Unkeepable, keepable
from skytrail.errors import Conflict, Invalid, Problem

_KEY = re.compile(r"[A-Za-z0-9_.:/@-]{1,250}")

#: An asset's name in the store.
MAX_ASSET = 500

#: A value, as JSON, is at most so large.
MAX_BYTES = 65_536

#: What is shown in place of a secret.
HIDDEN = "***"


class BadState(Invalid):
    """The state cannot be kept like this."""


class Overtaken(Conflict):
    """This execution of {task_id} counts no more: another has taken over, or it was given up. Its
    write to the state store was refused.
    """


class Scope(enum.StrEnum):
    """To what a key belongs."""

    TASK = "task"
    DAG = "dag"
    ASSET = "asset"


@dataclass(frozen=True, slots=True)
class Place:
    """A scope, and which of its kind where that is not clear from who asks."""

    scope: Scope
    asset: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is kept under a key. `version` grows with each write and is never used again."""

    value: Any
    version: int
    is_secret: bool = False
    #: When it is forgotten; None: never.
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """What is to be kept, by whichever door it comes."""

    value: Any
    ttl: timedelta | None = None
    secret: bool = False
    #: The version that it is to take the place of; 0: there is to be none yet; None: any, or none.
    expected: int | None = None


def asset_place(name: str) -> Place:
    """The place of an asset. Raises `BadState`."""
    if not isinstance(name, str) or not name or len(name) > MAX_ASSET or "\x00" in name:
        raise _bad("asset", f"give the asset's name, at most {MAX_ASSET} characters")
    return Place(Scope.ASSET, name)


def check_key(key: str) -> str:
    """Raises `BadState` unless it can be a key."""
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise _bad("key", "use 1 to 250 letters, digits and the characters _ . : / @ -")
    return key


def storable(value: Any) -> Any:
    """`value` as JSON. Raises `BadState` for what is not, or is too large."""
    try:
        kept = keepable(value)
    except Unkeepable as error:
        text = str(error).replace("what the task returns", "the value")
        raise _bad("value", text.replace("return", "give")) from None
    if (size := len(json.dumps(kept))) > MAX_BYTES:
        raise _bad(
            "value",
            f"the value has {size:,} bytes as JSON; at most {MAX_BYTES:,} are kept. Keep large "
            "data as an artifact or in a database, and its place here",
        )
    return kept


def lifetime(ttl: timedelta | float | None) -> timedelta | None:
    """How long to keep it; a number is in seconds. Raises `BadState`."""
    try:
        return lifetimes.lifetime(ttl)
    except lifetimes.BadLifetime as error:
        raise _bad("ttl", str(error)) from None


def _bad(path: str, message: str) -> BadState:
    return BadState(problems=[Problem(path, "bad_state", message)])
