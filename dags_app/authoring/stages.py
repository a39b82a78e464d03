"""`with delete.as_teardown(setups=create):` — the tasks between a setup and its teardown."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from dags_app.authoring.nodes import Node, arrow

if TYPE_CHECKING:
    from dags_app.authoring.groups import TaskGroup
    from dags_app.authoring.tasks import Task


class Stage(Node):
    """What is made within the block of a teardown task: it comes after its setups, before it."""

    def __init__(self, teardown: Task) -> None:
        self.teardown = teardown
        self.dag = teardown.dag
        self.tasks: list[Task] = []
        #: How many other blocks of this kind are around: what is further in is looked at first.
        self.depth = len(_OPEN.get())

    @property
    def end(self) -> Stage:
        return self

    @property
    def label(self) -> str:
        """What it is called in messages."""
        return f"the block of {self.teardown.label}"

    @property
    def groups(self) -> tuple[TaskGroup, ...]:
        """The groups around; those of its teardown, with which it is one."""
        return self.teardown.groups


_OPEN: ContextVar[tuple[Stage, ...]] = ContextVar("skytrail_stages", default=())


def begin(teardown: Task) -> None:
    """The block of `teardown` begins: what is made from here on stands in it."""
    _OPEN.set((*_OPEN.get(), Stage(teardown)))


def end() -> None:
    """The innermost block ends: what it holds stands between the setups and the teardown."""
    *around, stage = _OPEN.get()
    _OPEN.set(tuple(around))
    for setup in stage.teardown.setups:
        arrow(setup, stage)
    arrow(stage, stage.teardown)


def take_in(task: Task) -> None:
    """`task` is made within the blocks that are open."""
    for stage in _OPEN.get():
        if stage.dag is task.dag:
            stage.tasks.append(task)
