"""How connections and variables are called: names that are good in addresses and as file names."""

from __future__ import annotations

import re

from skytrail.errors import Invalid

MAX_LENGTH = 250

_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_TYPE = re.compile(r"[a-z][a-z0-9+._-]{0,63}")


class NameUnusable(Invalid):
    """A {what} cannot be called {name}: use letters a–z and A–Z, digits and the characters _ . -,
    at most 250 of them and not dots alone.
    """


def checked_name(name: str, *, what: str) -> str:
    """`name`, if a connection or a variable can be called so. Raises `NameUnusable`."""
    if not is_name(name):
        raise NameUnusable(what=what, name=ascii(name[:80]))
    return name


def is_name(name: str) -> bool:
    """Whether something can be called so."""
    return bool(_NAME.fullmatch(name)) and len(name) <= MAX_LENGTH and bool(name.strip("."))


def is_type(conn_type: str) -> bool:
    """Whether there can be such a type of connection: like the scheme of a URL."""
    return bool(_TYPE.fullmatch(conn_type))


def variable_for(prefix: str, name: str) -> str:
    """The environment variable of what is called `name`: in capitals, with _ for what is neither
    letter nor digit.
    """
    return prefix + re.sub(r"[^A-Z0-9]", "_", name.upper())
