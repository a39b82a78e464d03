"""Where a line of a DAG's file stands: in which DAG, and in which task group of it."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from dags_app.authoring.errors import OutsideOfADag

if TYPE_CHECKING:
    from dags_app.authoring.dags import DAG
    from dags_app.authoring.groups import TaskGroup

#: The `with` blocks around, outermost first: DAGs, and groups within them.
_BLOCKS: ContextVar[tuple[DAG | TaskGroup, ...]] = ContextVar("skytrail_blocks", default=())


def enter(block: DAG | TaskGroup) -> None:
    """From here on lines stand in `block`."""
    _BLOCKS.set((*_BLOCKS.get(), block))


def leave() -> None:
    """The innermost block has ended."""
    _BLOCKS.set(_BLOCKS.get()[:-1])


def is_open() -> bool:
    """Whether any DAG is being written here."""
    return bool(_BLOCKS.get())


def place(
    what: str, *, dag: DAG | None = None, group: TaskGroup | None = None
) -> tuple[DAG, TaskGroup | None]:
    """The DAG and the group in which something is made: those that are given, else those around.

    Raises `OutsideOfADag`, naming `what`, if there is none.
    """
    if group is not None:
        return group.dag, group
    blocks = _BLOCKS.get()
    innermost = blocks[-1] if blocks else None
    if innermost is None:
        if dag is None:
            raise OutsideOfADag(what=what)
        return dag, None
    around = innermost.dag
    if dag is not None and dag is not around:
        return dag, None
    return around, None if innermost is around else innermost  # type: ignore[return-value]
