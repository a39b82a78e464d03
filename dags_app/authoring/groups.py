"""Task groups: tasks that are shown together, and that `>>` takes for one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, Self, TypeVar, overload

from dags_app.authoring import scope
from dags_app.authoring.defaults import read_defaults
from dags_app.authoring.errors import BadArgument, DuplicateGroupId
from dags_app.authoring.nodes import Node
from dags_app.authoring.numbering import numbered

if TYPE_CHECKING:
    from dags_app.authoring.dags import DAG
    from dags_app.authoring.tasks import Task

P = ParamSpec("P")
R = TypeVar("R")


class TaskGroup(Node):
    """Tasks that are shown together: `with TaskGroup("load") as load:`.

    The ids of its tasks begin with its own (`load.orders`), unless `prefix_group_id` is false. As
    an operand of `>>` it stands for its first tasks, or for its last ones.
    """

    def __init__(
        self,
        group_id: str,
        *,
        prefix_group_id: bool = True,
        parent_group: TaskGroup | None = None,
        dag: DAG | None = None,
        default_args: Mapping[str, Any] | None = None,
        add_suffix_on_collision: bool = False,
    ) -> None:
        if not group_id or "." in group_id:
            problem = "is no name for a group: use letters, digits, _ and - (dots part the groups)"
            raise BadArgument(owner="TaskGroup", name=repr(group_id), problem=problem)
        what = f"TaskGroup({group_id!r})"
        self.dag, self.parent = scope.place(what, dag=dag, group=parent_group)
        around = f"{self.parent.path}." if self.parent else ""
        #: Its name, behind those of the groups around: `load.orders`.
        self.path: str = around + group_id
        if add_suffix_on_collision:
            self.path = numbered(self.path, self.dag.groups)
        if self.dag.groups.setdefault(self.path, self) is not self:
            raise DuplicateGroupId(dag_id=self.dag.dag_id, group_id=self.path)
        self.name = self.path[len(around) :]
        self.prefix_group_id = prefix_group_id
        self.defaults = read_defaults(default_args or {}, owner=what)
        #: What it holds, in the order of the lines.
        self.children: list[Task | TaskGroup] = []
        if self.parent:
            self.parent.children.append(self)

    @property
    def group_id(self) -> str:
        """Its name, behind those of the groups around that prefix what is in them."""
        return self.parent.child_id(self.name) if self.parent else self.name

    def child_id(self, name: str) -> str:
        """The whole id of something in this group."""
        if self.prefix_group_id:
            return f"{self.group_id}.{name}"
        return self.parent.child_id(name) if self.parent else name

    def all_tasks(self) -> Iterator[Task]:
        """Its tasks, and those of the groups in it."""
        for child in self.children:
            if isinstance(child, TaskGroup):
                yield from child.all_tasks()
            else:
                yield child

    @property
    def end(self) -> TaskGroup:
        return self

    @property
    def label(self) -> str:
        """What it is called in messages."""
        return f"the task group {self.path!r}"

    @property
    def groups(self) -> tuple[TaskGroup, ...]:
        """The groups around it, outermost first."""
        return (*self.parent.groups, self.parent) if self.parent else ()

    def __enter__(self) -> Self:
        scope.enter(self)
        return self

    def __exit__(self, *_: object) -> None:
        scope.leave()

    def __repr__(self) -> str:
        return f"<TaskGroup {self.path}>"


class GroupFunction(Generic[P, R]):
    """A function with @task_group: each call makes a group of the tasks that it makes."""

    def __init__(self, function: Callable[P, object], options: Mapping[str, Any]) -> None:
        functools.update_wrapper(self, function)  # first: it brings attributes of the function
        self.function = function
        self.options = dict(options)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        options = {"group_id": self.function.__name__, **self.options}
        with TaskGroup(**options, add_suffix_on_collision=True) as group:
            returned = self.function(*args, **kwargs)
        return group if returned is None else returned  # type: ignore[return-value]  # as declared below

    def override(
        self,
        *,
        group_id: str | None = None,
        prefix_group_id: bool | None = None,
        default_args: Mapping[str, Any] | None = None,
    ) -> GroupFunction[P, R]:
        """The same function with other settings."""
        return GroupFunction(
            self.function,
            self.options
            | _given(group_id=group_id, prefix_group_id=prefix_group_id, default_args=default_args),
        )


class _Decorating(Protocol):
    @overload
    def __call__(self, function: Callable[P, None], /) -> GroupFunction[P, TaskGroup]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> GroupFunction[P, R]: ...


@overload
def task_group(function: Callable[P, None], /) -> GroupFunction[P, TaskGroup]: ...
@overload
def task_group(function: Callable[P, R], /) -> GroupFunction[P, R]: ...
@overload
def task_group(
    *,
    group_id: str | None = None,
    prefix_group_id: bool | None = None,
    default_args: Mapping[str, Any] | None = None,
) -> _Decorating: ...
def task_group(
    function: Callable[..., Any] | None = None,
    /,
    *,
    group_id: str | None = None,
    prefix_group_id: bool | None = None,
    default_args: Mapping[str, Any] | None = None,
) -> Any:
    """Makes a group of the tasks that a function makes. A call returns what the function returns,
    or else the group; further calls make `name__1`, `name__2`, ….
    """
    options = _given(group_id=group_id, prefix_group_id=prefix_group_id, default_args=default_args)
    if function is not None:
        return GroupFunction(function, options)
    return lambda function: GroupFunction(function, options)


def _given(**settings: object) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None}
