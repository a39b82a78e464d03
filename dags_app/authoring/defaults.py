"""`default_args`: values for all tasks of a DAG, or of a group, that do not give their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dags_app.authoring import options


def read_defaults(given: Mapping[str, Any], *, owner: str) -> dict[str, Any]:
    """`given` under the names of a definition.

    Raises `UnknownArgument` for what no kind of task knows, for that is misspelt.
    """
    from dags_app.authoring.operators import OPERATORS

    known = frozenset().union(*(kind.known for kind in OPERATORS.values())) - {"depends_on"}
    return options.read(given, known=known, owner=f"default_args of {owner}")
