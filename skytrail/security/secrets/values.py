"""A connection and a variable as they are used: values, which show no secret by accident."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from skytrail.security.redaction import MASK, looks_secret
from skytrail.security.secrets import uris, writing

#: The login and the password of an address.
PASSWORD_IN_ADDRESS = re.compile(r"(?<=://)([^/?#@:]*):([^/?#@]*)@")


@dataclass(frozen=True, kw_only=True, repr=False)
class ConnectionValue:
    """How to reach something: `conn_type` says what it is, like the scheme of a URL.

    What is not known is an empty text; `schema` is what a URL has as its path: a database's name.
    """

    conn_id: str
    conn_type: str
    host: str = ""
    port: int | None = None
    schema: str = ""
    login: str = ""
    password: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        shown: dict[str, Any] = {
            "conn_id": self.conn_id,
            "conn_type": self.conn_type,
            "host": self.host,
            "port": self.port,
            "schema": self.schema,
            "login": self.login,
            "password": MASK if self.password else "",
            "extra": dict.fromkeys(self.extra, MASK),
        }
        return f"ConnectionValue({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    @property
    def uri(self) -> str:
        """All of it as one URI, the password included. `from_uri` reads it."""
        return uris.written(self.conn_type, self.fields())

    def fields(self) -> dict[str, Any]:
        """What is sealed: all but the name and the type."""
        return {
            "host": self.host,
            "port": self.port,
            "schema": self.schema,
            "login": self.login,
            "password": self.password,
            "extra": dict(self.extra),
        }

    def secret_values(self) -> list[str]:
        """What must not be read by people: the password, extras that look like secrets, and the
        passwords of addresses that stand in the host or in an extra.
        """
        addresses = _passwords_in(self.host)
        found = [self.password, *addresses, *_texts_of_secrets(self.extra)]
        return [text for text in dict.fromkeys(found) if text]

    @classmethod
    def from_uri(cls, conn_id: str, uri: str) -> ConnectionValue:
        """Reads `type://login:password@host:port/schema?extra=…`. Raises `ConnectionInvalid`."""
        return cls(conn_id=conn_id, **writing.checked(conn_id, uris.read(conn_id, uri)))

    @classmethod
    def from_json(cls, conn_id: str, text: str | Mapping[str, Any]) -> ConnectionValue:
        """Reads a JSON object with `conn_type` and what else is known, or with a `uri`.

        Raises `ConnectionInvalid`.
        """
        fields = text if isinstance(text, Mapping) else writing.read_object(conn_id, text)
        if set(fields) - {"description"} == {"uri"}:
            return cls.from_uri(conn_id, str(fields["uri"]))
        return cls(conn_id=conn_id, **writing.checked(conn_id, fields))

    @classmethod
    def from_text(cls, conn_id: str, text: str) -> ConnectionValue:
        """Reads a URI or a JSON object, whichever it is. Raises `ConnectionInvalid`."""
        text = text.strip()
        return (cls.from_json if text.startswith("{") else cls.from_uri)(conn_id, text)


@dataclass(frozen=True, kw_only=True, repr=False)
class VariableValue:
    """A text under a name; a secret one is masked wherever people read."""

    key: str
    value: str
    is_secret: bool

    def __repr__(self) -> str:
        shown = MASK if self.is_secret else f"<{len(self.value)} characters>"
        return f"VariableValue(key={self.key!r}, value={shown!r}, is_secret={self.is_secret})"

    def secret_values(self) -> list[str]:
        """What must not be read by people; of a JSON object, each text in it too."""
        if not self.is_secret or not self.value:
            return []
        return list(dict.fromkeys([self.value, *_texts_of_json(self.value)]))


def _texts_of_json(text: str) -> Iterator[str]:
    if text.lstrip()[:1] not in {"{", "["}:
        return
    try:
        yield from _texts(json.loads(text))
    except (ValueError, RecursionError):
        return


def _passwords_in(text: str) -> Iterator[str]:
    """Of each address in it, as it is written and as it is meant."""
    for match in PASSWORD_IN_ADDRESS.finditer(text):
        yield from (match[2], unquote(match[2]))


def _texts_of_secrets(value: Any) -> Iterator[str]:
    """Each text that stands somewhere under a name that looks secret, and passwords elsewhere."""
    if isinstance(value, str):
        yield from _passwords_in(value)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner) if looks_secret(str(key)) else _texts_of_secrets(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts_of_secrets(inner)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
