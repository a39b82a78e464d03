"""What a run of a DAG can be given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dags_app.authoring.values import plain


class _Required:
    """Stands for a default where there is none: the value has to be given."""

    def __repr__(self) -> str:
        return "REQUIRED"


_REQUIRED: Final = _Required()


class Param:
    """A parameter: `Param(7, type="integer", minimum=1, description="Days to look back")`.

    The keyword arguments are those of JSON Schema. Without a default each run must be given a
    value; a DAG with a schedule needs one, since nobody is there to ask.
    """

    def __init__(self, default: object = _REQUIRED, **schema: object) -> None:
        self.default = default
        self.schema = schema

    def document(self, name: str) -> dict[str, Any]:
        """Its JSON Schema."""
        given = self.schema
        if self.default is not _REQUIRED:
            given = {**given, "default": self.default}
        document: dict[str, Any] = plain(given, owner=f"Param {name!r}", name="the schema")
        return document


def document(params: Mapping[str, object]) -> dict[str, Any]:
    """Each parameter's schema; a plain value is its default."""
    return {
        name: (value if isinstance(value, Param) else Param(value)).document(name)
        for name, value in params.items()
    }
