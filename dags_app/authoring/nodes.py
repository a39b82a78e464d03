"""What can stand on either side of `>>`: tasks, groups of tasks, results of tasks, and lists.

Operators only note down arrows between what was written; which tasks an arrow to or from a group
is about is found out at the end (`arrows.py`), so that the order of lines has no meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Self, TypeAlias, TypeVar

from dags_app.authoring.errors import BadArgument, NotATask, OtherDag

if TYPE_CHECKING:
    from dags_app.authoring.dags import DAG
    from dags_app.authoring.groups import TaskGroup
    from dags_app.authoring.outputs import Output
    from dags_app.authoring.stages import Stage
    from dags_app.authoring.tasks import Task

    #: What an arrow leads from and to.
    End: TypeAlias = Task | TaskGroup | Stage

T = TypeVar("T")


class Node:
    """Something that can come before and after something else."""

    dag: DAG

    @property
    def end(self) -> End:
        """The task, or the group, that this stands for."""
        raise NotImplementedError

    @property
    def returned(self) -> Output | None:
        """What it hands to others as a value; a group has nothing to hand on."""
        return None

    def set_downstream(self, others: object) -> None:
        """`others` (one, or a list) come directly after this."""
        for other in ends(others):
            arrow(self.end, other)

    def set_upstream(self, others: object) -> None:
        """`others` (one, or a list) come directly before this."""
        for other in ends(others):
            arrow(other, self.end)

    def __rshift__(self, others: T) -> T:
        self.set_downstream(others)
        return others

    def __lshift__(self, others: T) -> T:
        self.set_upstream(others)
        return others

    def __rrshift__(self, others: object) -> Self:
        self.set_upstream(others)
        return self

    def __rlshift__(self, others: object) -> Self:
        self.set_downstream(others)
        return self


def ends(value: object) -> list[End]:
    """The tasks and groups that `value` stands for: one, or a list of them."""
    if isinstance(value, Node):
        return [value.end]
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | dict):
        return [end for inner in value for end in ends(inner)]
    raise NotATask(value=_shown(value))


def arrow(before: End, after: End) -> None:
    """`after` waits for `before`."""
    if before.dag is not after.dag:
        raise OtherDag(
            first=before.label,
            first_dag=before.dag.dag_id,
            second=after.label,
            second_dag=after.dag.dag_id,
        )
    before.dag.arrows.append((before, after))


def chain(*links: object) -> None:
    """`chain(a, [b, c], [d, e], f)`: each link comes after the one before it.

    Between two lists, which must be equally long, it leads from each place to the same place.
    """
    for before, after in pairwise(links):
        first, second = ends(before), ends(after)
        if _is_list(before) and _is_list(after):
            if len(first) != len(second):
                raise BadArgument(
                    owner="chain",
                    name="two lists in a row",
                    problem=f"must be equally long, not {len(first)} and {len(second)}: use "
                    "cross_downstream, or chain_linear, to go from each to each",
                )
            for one, other in zip(first, second, strict=True):
                arrow(one, other)
        else:
            cross_downstream(before, after)


def chain_linear(*links: object) -> None:
    """As `chain`, but between two lists it leads from each to each."""
    for before, after in pairwise(links):
        cross_downstream(before, after)


def cross_downstream(from_tasks: object, to_tasks: object) -> None:
    """Each of `to_tasks` comes after each of `from_tasks`."""
    second = ends(to_tasks)
    for one in ends(from_tasks):
        for other in second:
            arrow(one, other)


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence)


def _shown(value: object) -> str:
    text = repr(value)
    return f"{text[:80]}… (a {type(value).__name__})" if len(text) > 80 else text
