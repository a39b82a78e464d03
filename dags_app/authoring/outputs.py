"""What a task returns, before it has run: a place in the data that later tasks are given."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn, Self

from dags_app.authoring.errors import BadArgument, NotKnownYet
from dags_app.authoring.nodes import Node

if TYPE_CHECKING:
    from dags_app.authoring.dags import DAG
    from dags_app.authoring.tasks import Task

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


class Output(Node):
    """What a task returns, or a part of it: Airflow's `XComArg`.

    Given to another task it becomes the template `{{ outputs.extract.rows }}`, and the other task
    depends on this one.
    """

    def __init__(self, task: Task, path: tuple[str | int, ...] = ()) -> None:
        self.task = task
        self.path = path

    @property
    def dag(self) -> DAG:  # type: ignore[override]  # it is its task's
        return self.task.dag

    @property
    def end(self) -> Task:
        return self.task

    @property
    def returned(self) -> Output:
        return self

    @property
    def task_id(self) -> str:
        """The task's id, with those of its groups."""
        return self.task.task_id

    @property
    def output(self) -> Any:
        """The same, for a type checker that expects what the task returns."""
        return self

    @property
    def template(self) -> str:
        """The template that is filled in with the value."""
        return f"{{{{ {self.expression} }}}}"

    @property
    def expression(self) -> str:
        """What stands between the braces of the template."""
        return "outputs" + "".join(map(_step, (self.task_id, *self.path)))

    def __getitem__(self, key: str | int) -> Output:
        if isinstance(key, bool) or not isinstance(key, str | int):
            raise BadArgument(
                owner=f"the output of {self.task_id!r}",
                name=repr(key),
                problem="is no key of JSON: use text or a whole number",
            )
        return Output(self.task, (*self.path, key))

    def as_setup(self) -> Self:
        """Makes its task a setup task: it prepares something for those behind it."""
        self.task.as_setup()
        return self

    def as_teardown(
        self, *, setups: object = (), on_failure_fail_dagrun: bool | None = None
    ) -> Self:
        """Makes its task a teardown task, which puts away what `setups` have prepared."""
        self.task.as_teardown(setups=setups, on_failure_fail_dagrun=on_failure_fail_dagrun)
        return self

    def __enter__(self) -> Self:
        self.task.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.task.__exit__()

    def __str__(self) -> str:
        return self.template

    def __repr__(self) -> str:
        return f"<Output {self.expression}>"

    def __iter__(self) -> Iterator[NoReturn]:
        raise NotKnownYet(
            what="a loop over an output",
            task_id=self.task_id,
            instead="Use .expand() for a task for each of its values, or [0], ['key'] for a part.",
        )

    def __bool__(self) -> bool:
        raise NotKnownYet(
            what="a condition on an output",
            task_id=self.task_id,
            instead="Use @task.branch or @task.short_circuit to decide while the DAG runs.",
        )

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        raise AttributeError(
            f"an output has no attribute {name!r}: a part of what {self.task_id!r} returns is "
            f"written [{name!r}]"
        )


def _step(key: str | int) -> str:
    if isinstance(key, str) and _NAME.fullmatch(key):
        return f".{key}"
    return f"[{json.dumps(key, ensure_ascii=False)}]"
