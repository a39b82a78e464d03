"""What people are shown of a connection or a variable: all but the secrets, and `***` for them.

What was shown may be sent back: each `***` then stands for what is kept where it stands.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from skytrail.errors import Problem
from skytrail.security.redaction import MASK, Redactor, looks_secret
from skytrail.security.secrets.values import (
    PASSWORD_IN_ADDRESS,
    ConnectionValue,
    VariableValue,
)
from skytrail.security.secrets.writing import ConnectionInvalid


def shown_connection(value: ConnectionValue, *, with_secrets: bool = False) -> dict[str, Any]:
    """Its name, type and fields, as people may read them."""
    fields = value.fields()
    if not with_secrets:
        redactor = Redactor(value.secret_values())
        fields |= {
            "host": PASSWORD_IN_ADDRESS.sub(rf"\1:{MASK}@", value.host),
            "password": MASK if value.password else "",
            "extra": _shown(fields["extra"], redactor),
        }
    return {"conn_id": value.conn_id, "conn_type": value.conn_type, **fields}


def shown_variable(value: VariableValue) -> str:
    """Its text. Of a secret one a mask; if it is JSON its form, with masks for what is in it."""
    if not value.is_secret or not value.value:
        return value.value
    if value.value.lstrip()[:1] not in {"{", "["}:
        return MASK
    try:
        return json.dumps(_form(json.loads(value.value)))
    except (ValueError, RecursionError):
        return MASK


def _form(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _form(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_form(inner) for inner in value]
    return value if value is None or isinstance(value, bool) else MASK


def has_mask(value: Any) -> bool:
    """Whether `***` stands anywhere in a JSON value."""
    if isinstance(value, Mapping):
        return any(map(has_mask, value.values()))
    if isinstance(value, list | tuple):
        return any(map(has_mask, value))
    return isinstance(value, str) and MASK in value


def with_kept(
    conn_id: str, sent: Mapping[str, Any], old: ConnectionValue | None = None
) -> dict[str, Any]:
    """What was sent, with what is kept in `old` wherever `***` stands for it.

    Raises `ConnectionInvalid` where nothing is kept that it could stand for.
    """
    shown = shown_connection(old) if old else {}
    kept = old.fields() if old else {}
    problems: list[Problem] = []
    fields = {
        name: _restored(value, shown.get(name), kept.get(name), name, problems)
        for name, value in sent.items()
    }
    if problems:
        raise ConnectionInvalid(conn_id=conn_id, problems=problems)
    return fields


def _shown(value: Any, redactor: Redactor, name: str = "") -> Any:
    """Keys are shown as they are: whoever changes an extra has to find it."""
    is_something = value is not None and value != "" and not isinstance(value, bool)
    if is_something and looks_secret(name):
        return MASK
    if isinstance(value, Mapping):
        return {key: _shown(inner, redactor, str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(inner, redactor) for inner in value]
    if isinstance(value, str):
        return PASSWORD_IN_ADDRESS.sub(rf"\1:{MASK}@", redactor.text(value))
    return redactor.value(value)


def _restored(sent: Any, shown: Any, kept: Any, path: str, problems: list[Problem]) -> Any:
    if not has_mask(sent):
        return sent
    if sent == shown and shown != kept:
        return kept
    if isinstance(sent, Mapping):
        shown = shown if isinstance(shown, Mapping) else {}
        kept = kept if isinstance(kept, Mapping) else {}
        return {
            key: _restored(inner, shown.get(key), kept.get(key), f"{path}.{key}", problems)
            for key, inner in sent.items()
        }
    if sent == MASK or shown != kept:
        problems.append(
            Problem(path, "nothing_kept", f"{MASK} stands for nothing here; write the value itself")
        )
    return sent
