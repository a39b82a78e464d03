"""What may stand in a connection, field by field. Messages name the field and never its content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skytrail.documents.errors import BadDocument
from skytrail.documents.json_text import read_json
from skytrail.documents.storing import unstorable
from skytrail.errors import Invalid, Problem
from skytrail.security.secrets.names import is_type

#: Characters.
MAX_FIELD = 10_000
MAX_PASSWORD = 65_536
MAX_VALUE = 262_144

#: What a JSON object may have. The description is kept beside, and not encrypted.
FIELDS = ("conn_type", "host", "port", "schema", "login", "password", "extra", "description")

_TEXTS = {
    "host": MAX_FIELD,
    "schema": MAX_FIELD,
    "login": MAX_FIELD,
    "password": MAX_PASSWORD,
    "description": MAX_FIELD,
}


class ConnectionInvalid(Invalid):
    """The connection {conn_id} cannot be used as it is written."""


def read_object(conn_id: str, text: str) -> dict[str, Any]:
    """The JSON object that `text` spells. Raises `ConnectionInvalid`."""
    try:
        value = read_json(text, limit=MAX_VALUE)
    except BadDocument as error:
        raise ConnectionInvalid(conn_id=conn_id, problems=error.problems) from None
    if not isinstance(value, dict):
        problem = Problem("", "no_object", 'write a JSON object like {"conn_type": "http"}')
        raise ConnectionInvalid(conn_id=conn_id, problems=[problem])
    return value


def checked(conn_id: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a connection as they are kept, or everything that is wrong with them.

    Nothing and null are the same; a port may be text, and the extra JSON in a text, as Airflow
    exports it. Raises `ConnectionInvalid`.
    """
    problems: list[Problem] = []
    kept: dict[str, Any] = {name: _text(fields, name, problems) for name in _TEXTS}
    del kept["description"]
    kept["conn_type"] = _type(fields, problems)
    kept["port"] = _port(fields, problems)
    kept["extra"] = _extra(conn_id, fields, problems)
    problems += [
        Problem(name, "unknown_field", f"there is no such field; there are {', '.join(FIELDS)}")
        for name in map(str, fields)
        if name not in {*FIELDS, "conn_id"}
    ]
    if problems:
        raise ConnectionInvalid(conn_id=conn_id, problems=problems)
    return kept


def text_problems(path: str, text: Any, *, limit: int) -> list[Problem]:
    """What is wrong with a text that is to be kept."""
    if not isinstance(text, str):
        return [Problem(path, "no_text", "this has to be a text; write it in quotes")]
    if len(text) > limit:
        return [Problem(path, "too_long", f"at most {limit:,} characters can be kept here")]
    return [Problem(path, problem.code, problem.message) for problem in unstorable(text)]


def _text(fields: Mapping[str, Any], name: str, problems: list[Problem]) -> str:
    text = fields.get(name)
    if text is None:
        return ""
    found = text_problems(name, text, limit=_TEXTS[name])
    problems += found
    return "" if found else str(text)


def _type(fields: Mapping[str, Any], problems: list[Problem]) -> str:
    conn_type = fields.get("conn_type")
    if isinstance(conn_type, str) and is_type(conn_type):
        return conn_type
    what = "say what this is a connection to" if not conn_type else "this is no type of connection"
    example = "`postgresql`, `mysql+pymysql` or `http`: small letters, digits and + . _ -"
    problems.append(Problem("conn_type", "no_type", f"{what}, like {example}"))
    return ""


def _port(fields: Mapping[str, Any], problems: list[Problem]) -> int | None:
    port = fields.get("port")
    if port is None or port == "":
        return None
    if isinstance(port, str) and port.isascii() and port.isdigit():
        port = int(port[:6])
    if isinstance(port, int) and not isinstance(port, bool) and 1 <= port <= 65_535:
        return port
    problems.append(Problem("port", "no_port", "a port is a whole number from 1 to 65535"))
    return None


def _extra(conn_id: str, fields: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    extra = fields.get("extra")
    if isinstance(extra, str) and extra.strip():
        try:
            extra = read_object(conn_id, extra)
        except ConnectionInvalid as error:
            problems += [problem.within("extra") for problem in error.problems]
            return {}
    if extra is None or extra == "":
        return {}
    if not isinstance(extra, Mapping):
        problems.append(Problem("extra", "no_object", "extras are a JSON object, or nothing"))
        return {}
    problems += [problem.within("extra") for problem in unstorable(dict(extra))]
    return dict(extra)
