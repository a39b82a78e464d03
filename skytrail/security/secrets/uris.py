"""Connections as URIs: `postgresql://etl:s3cret@db.example.org:5432/dwh?sslmode=require`.

Read by hand: the standard library makes host names small, forgets what `#` cuts off, and knows no
`_` in a scheme. Extras that are not plain texts stand as JSON under `__extra__`, as in Airflow.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from skytrail.errors import Problem
from skytrail.security.secrets.writing import ConnectionInvalid

_EXTRA = "__extra__"


def written(conn_type: str, fields: Mapping[str, Any]) -> str:
    """The URI of a connection with these fields."""
    text = f"{conn_type}://"
    if fields["login"] or fields["password"]:
        text += quote(fields["login"], safe="")
        text += f":{quote(fields['password'], safe='')}" if fields["password"] else ""
        text += "@"
    host = fields["host"]
    text += f"[{host}]" if _is_ipv6(host) else quote(host, safe="")
    text += f":{fields['port']}" if fields["port"] is not None else ""
    text += f"/{quote(fields['schema'], safe='/')}" if fields["schema"] else ""
    if extra := fields["extra"]:
        is_plain = all(isinstance(value, str) for value in extra.values()) and _EXTRA not in extra
        text += "?" + urlencode(extra if is_plain else {_EXTRA: json.dumps(extra)})
    return text


def read(conn_id: str, uri: str) -> dict[str, Any]:
    """The fields that `uri` spells. Raises `ConnectionInvalid`; no part of `uri` is shown then."""
    conn_type, found, rest = uri.partition("://")
    if not found:
        raise _bad(conn_id, "write it as `type://login:password@host:port/schema`")
    place, _, query = rest.partition("?")
    server, _, schema = place.partition("/")
    person, _, address = server.rpartition("@")
    login, _, password = person.partition(":")
    host, port = _host_and_port(conn_id, address)
    return {
        "conn_type": conn_type.lower(),
        "host": host,
        "port": port,
        "schema": unquote(schema),
        "login": unquote(login),
        "password": unquote(password),
        "extra": _extra(conn_id, query),
    }


def _host_and_port(conn_id: str, address: str) -> tuple[str, int | None]:
    """IPv6 addresses stand in brackets."""
    match = re.fullmatch(r"\[(?P<six>[^\]]*)\](?P<end>.*)|(?P<host>[^:]*)(?P<tail>.*)", address)
    assert match is not None  # its second half takes anything
    host = match["six"] if match["six"] is not None else unquote(match["host"])
    end = match["end"] if match["six"] is not None else match["tail"]
    if end in {"", ":"}:
        return host, None
    if not re.fullmatch(r":[0-9]{1,5}", end):
        raise _bad(
            conn_id,
            "what stands after the host's colon is no port; in a login or password write "
            "/ as %2F, ? as %3F, # as %23, @ as %40, : as %3A and % as %25",
        )
    return host, int(end[1:])


def _extra(conn_id: str, query: str) -> dict[str, Any]:
    pairs = parse_qsl(query, keep_blank_values=True)
    extra: dict[str, Any] = dict(pairs)
    if len(extra) < len(pairs):
        raise _bad(conn_id, "an extra is given twice after the question mark; keep one of them")
    if set(extra) != {_EXTRA}:
        return extra
    try:
        value = json.loads(extra[_EXTRA])
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise _bad(conn_id, f"{_EXTRA} has to be a JSON object")
    return value


def _is_ipv6(host: str) -> bool:
    return bool(re.fullmatch(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%\w+)?", host))


def _bad(conn_id: str, message: str) -> ConnectionInvalid:
    return ConnectionInvalid(conn_id=conn_id, problems=[Problem("uri", "invalid_uri", message)])
