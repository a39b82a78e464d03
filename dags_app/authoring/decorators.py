"""`@task` and its kinds, `@setup` and `@teardown`, with what type checkers are to know of them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, Protocol, TypeVar, Unpack, overload

from dags_app.authoring.errors import hint
from dags_app.authoring.functions import BashFunction, TaskFunction
from dags_app.authoring.operators import Bash, Branch, Python, PythonSensor, ShortCircuit
from dags_app.authoring.options import SensorOptions, TaskOptions
from dags_app.authoring.outputs import Output
from dags_app.authoring.tasks import Task

P = ParamSpec("P")
R = TypeVar("R")
M = TypeVar("M")


class _DecidingOptions(TaskOptions, total=False):
    task_id: str


class _Options(_DecidingOptions, total=False):
    outputs: Sequence[str]
    """The names of its outputs: the function returns a dict with just these keys."""
    multiple_outputs: bool
    """Each entry of the dict that it returns is an output of its own, whatever its name."""


class _ShortCircuitOptions(_DecidingOptions, total=False):
    ignore_downstream_trigger_rules: bool


class _SensorOptions(SensorOptions, total=False):
    task_id: str


class _BashOptions(TaskOptions, total=False):
    task_id: str
    env: Mapping[str, object]
    cwd: str | None
    skip_on_exit_code: int | None


class Decorating(Protocol):
    """What makes a function a task: `@task(retries=2)`, `@setup`.

    A function that returns nothing is there for its place in the graph, so a call of it is an
    `Output`, for `>>`; any other call is, for a type checker, what the function returns in a run:
    so the arguments of the next function are checked.
    """

    @overload
    def __call__(self, function: TaskFunction[P, R, M], /) -> TaskFunction[P, R, M]: ...
    @overload
    def __call__(
        self, function: Callable[P, Coroutine[Any, Any, None]], /
    ) -> TaskFunction[P, Output, Output]: ...
    @overload
    def __call__(
        self, function: Callable[P, Coroutine[Any, Any, R]], /
    ) -> TaskFunction[P, R, list[R]]: ...
    @overload
    def __call__(self, function: Callable[P, None], /) -> TaskFunction[P, Output, Output]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> TaskFunction[P, R, list[R]]: ...


class Deciding(Protocol):
    """What `@task.branch(…)` and its like make of a function: a task for its place in the graph."""

    def __call__(self, function: Callable[P, object], /) -> TaskFunction[P, Output, Output]: ...


class TaskDecorator:
    """`@task`, or with settings `@task(retries=2)`; and `@task.branch`, `@task.bash`, …"""

    @overload
    def __call__(self, function: TaskFunction[P, R, M], /) -> TaskFunction[P, R, M]: ...
    @overload
    def __call__(
        self, function: Callable[P, Coroutine[Any, Any, None]], /
    ) -> TaskFunction[P, Output, Output]: ...
    @overload
    def __call__(
        self, function: Callable[P, Coroutine[Any, Any, R]], /
    ) -> TaskFunction[P, R, list[R]]: ...
    @overload
    def __call__(self, function: Callable[P, None], /) -> TaskFunction[P, Output, Output]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> TaskFunction[P, R, list[R]]: ...
    @overload
    def __call__(self, **options: Unpack[_Options]) -> Decorating: ...
    def __call__(self, *function: Any, **options: Any) -> Any:
        return _decorated(function, Python, options)

    if not TYPE_CHECKING:  # a type checker is to find what is misspelt by itself

        def __getattr__(self, name: str) -> NoReturn:
            known = [known for known in dir(type(self)) if known[0] != "_"]
            raise AttributeError(f"there is no @task.{name}{hint(name, known, '')}")

    @property
    def python(self) -> TaskDecorator:
        """The same as `@task`."""
        return self

    @overload
    def branch(self, function: Callable[P, object], /) -> TaskFunction[P, Output, Output]: ...
    @overload
    def branch(self, **options: Unpack[_DecidingOptions]) -> Deciding: ...
    def branch(self, *function: Any, **options: Any) -> Any:
        """A function that returns the id, or the ids, of the next tasks to go on with."""
        return _decorated(function, Branch, options)

    @overload
    def short_circuit(
        self, function: Callable[P, object], /
    ) -> TaskFunction[P, Output, Output]: ...
    @overload
    def short_circuit(self, **options: Unpack[_ShortCircuitOptions]) -> Deciding: ...
    def short_circuit(self, *function: Any, **options: Any) -> Any:
        """A function that returns whether to go on; if not, what follows is skipped."""
        return _decorated(function, ShortCircuit, options)

    @overload
    def sensor(self, function: Callable[P, object], /) -> TaskFunction[P, Output, Output]: ...
    @overload
    def sensor(self, **options: Unpack[_SensorOptions]) -> Deciding: ...
    def sensor(self, *function: Any, **options: Any) -> Any:
        """A function that returns something true when what it waits for is there."""
        return _decorated(function, PythonSensor, options)

    @overload
    def bash(self, function: Callable[P, str], /) -> TaskFunction[P, Output, Output]: ...
    @overload
    def bash(
        self, **options: Unpack[_BashOptions]
    ) -> Callable[[Callable[P, str]], TaskFunction[P, Output, Output]]: ...
    def bash(self, *function: Any, **options: Any) -> Any:
        """A function that returns a shell command, when the DAG is written (`BashFunction`)."""
        return _decorated(function, Bash, options)


class TeardownDecorator:
    """`@teardown`, or `@teardown(on_failure_fail_dagrun=True)`: the task puts away what setup tasks
    have prepared, however the tasks between them end.
    """

    @overload
    def __call__(self, function: TaskFunction[P, R, M], /) -> TaskFunction[P, R, M]: ...
    @overload
    def __call__(self, function: Callable[P, None], /) -> TaskFunction[P, Output, Output]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> TaskFunction[P, R, list[R]]: ...
    @overload
    def __call__(self, *, on_failure_fail_dagrun: bool) -> Decorating: ...
    def __call__(self, *function: Any, **options: Any) -> Any:
        return _decorated(function, Python, {"teardown": True, **options})


task = TaskDecorator()
teardown = TeardownDecorator()


def _setup(function: Any, /) -> Any:
    """Makes a function a setup task: it prepares something for the tasks behind it."""
    return _decorated((function,), Python, {"setup": True})


setup: Decorating = _setup


def _decorated(function: tuple[Any, ...], kind: type[Task], options: Mapping[str, Any]) -> Any:
    """The function as a task; or, where none is given yet, what will make it one."""
    if not function:
        return lambda function: _decorated((function,), kind, options)
    (given,) = function
    if isinstance(given, TaskFunction):
        return type(given)(given.function, given.kind, {**given.options, **options})
    make = BashFunction[Any, Any, Any] if kind is Bash else TaskFunction[Any, Any, Any]
    return make(given, kind, options)
