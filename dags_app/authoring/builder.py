"""A DAG in one expression, for programs that make them from data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self, Unpack

from dags_app.authoring.dags import DAG, DagOptions
from dags_app.authoring.errors import BadArgument, hint
from dags_app.authoring.groups import TaskGroup
from dags_app.authoring.operators import OPERATORS
from dags_app.authoring.tasks import Function, Task


class DagBuilder:
    """`DagBuilder("d").add_task("a", extract).add_task("b", load).depends_on("a").build()`."""

    def __init__(self, dag_id: str, **options: Unpack[DagOptions]) -> None:
        self._dag = DAG(dag_id, **options)
        self._last: Task | None = None

    def add_task(
        self,
        task_id: str,
        function: Function | None = None,
        *,
        type: str | None = None,  # noqa: A002  # its name in a definition
        **fields: Any,
    ) -> Self:
        """Adds a task, with the keys of a task in a definition. One that is given a function calls
        it (type `python`), one without a type is empty. `group="load.orders"` makes the groups that
        are missing.
        """
        kind = type or ("empty" if function is None else "python")
        if kind not in OPERATORS:
            way_out = hint(kind, OPERATORS, f": use one of {', '.join(OPERATORS)}")
            problem = f"{kind!r} is no type of task{way_out}"
            raise BadArgument(owner=f"add_task({task_id!r})", name="type", problem=problem)
        if function is not None:
            fields["callable"] = function
        fields["task_group"] = self._group(fields.pop("group", None))
        make: Callable[..., Task] = OPERATORS[kind]
        self._last = make(task_id, dag=self._dag, **fields)
        return self

    def _group(self, path: str | None) -> TaskGroup | None:
        """The group of that path, with those around it; made where they are missing."""
        if path is None:
            return None
        if path in self._dag.groups:
            return self._dag.groups[path]
        around, _, name = path.rpartition(".")
        return TaskGroup(name, parent_group=self._group(around or None), dag=self._dag)

    def depends_on(self, *task_ids: str) -> Self:
        """The task added last waits for these, which may be added later."""
        if self._last is None:
            problem = "belongs to a task: call add_task first"
            raise BadArgument(owner="DagBuilder", name="depends_on", problem=problem)
        self._dag.named_arrows += ((task_id, self._last) for task_id in task_ids)
        return self

    def build(self) -> DAG:
        """The DAG, with `.document()` and `.spec()`."""
        return self._dag
