"""Named outputs: each entry of what a task returns, kept by itself under its own name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dags_app.domain.problems import quoted, suggestion
from runs_app.domain.outcomes import Unkeepable, keepable
from skytrail.errors import listed

#: The name under which a value is kept that is not parted into named outputs.
RETURN_VALUE = "return_value"

#: So many outputs one task may have, with names of at most so many characters.
MAX_NAMED = 250
MAX_NAME = 250


def keepable_by_name(
    value: Any, *, declared: Sequence[str], keep: Callable[[Any], Any] = keepable
) -> dict[str, Any]:
    """The named outputs in what a task returns, each as it is kept; see `keepable`.

    Where names are `declared` it has to be those, all of them and no other. Raises `Unkeepable`.
    """
    if not isinstance(value, Mapping):
        raise Unkeepable(
            f"the task has named outputs and returns a {type(value).__name__}; return a dict of "
            "them, each under its name"
        )
    for name in value:
        _check(name)
    if len(value) > MAX_NAMED:
        raise Unkeepable(
            f"the task returns {len(value):,} named outputs, and at most {MAX_NAMED} are kept; "
            "return what belongs together under one name"
        )
    if declared:
        _check_declared(list(value), declared)
    return {name: _kept(name, inner, keep) for name, inner in value.items()}


def _check(name: object) -> None:
    if not isinstance(name, str) or not name or len(name) > MAX_NAME:
        shown = quoted(name) if isinstance(name, str) else repr(name)[:80]
        raise Unkeepable(f"{shown} cannot name an output; use text of 1 to {MAX_NAME} characters")
    if name == RETURN_VALUE:
        raise Unkeepable(f"{name!r} is the name of what is not parted; give this output another")


def _check_declared(names: Sequence[str], declared: Sequence[str]) -> None:
    missing = [name for name in declared if name not in names]
    unknown = [name for name in names if name not in declared]
    if missing:
        raise Unkeepable(
            f"the task's outputs are to be {listed(declared)}, and it returns none named "
            f"{listed(missing)}; return null where there is nothing"
        )
    if unknown:
        hint = suggestion(unknown[0], declared) or "; declare it, or leave it out"
        raise Unkeepable(f"the task returns {quoted(unknown[0])}, which it does not declare{hint}")


def _kept(name: str, value: Any, keep: Callable[[Any], Any]) -> Any:
    try:
        return keep(value)
    except Unkeepable as error:
        raise Unkeepable(f"{quoted(name)}: {error}") from error
