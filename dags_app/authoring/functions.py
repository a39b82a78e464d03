"""A function with @task, @task.bash, …: called within a DAG it makes a task, elsewhere it runs.

That it runs elsewhere is what a worker needs, which finds it by its name; and tests.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, ParamSpec, TypeVar, Unpack

from dags_app.authoring import collection, scope
from dags_app.authoring.docstrings import described
from dags_app.authoring.errors import BadArgument, OutsideOfADag
from dags_app.authoring.nodes import Node
from dags_app.authoring.numbering import numbered
from dags_app.authoring.options import SensorOptions
from dags_app.authoring.tasks import Task
from dags_app.authoring.values import tasks_in

#: What Airflow puts into a function's arguments by their names. Here they would stay empty, which
#: shows in the first run at the earliest: so they have to be given.
_AIRFLOW_FILLS_IN = frozenset(
    {
        *("ds", "ds_nodash", "ts", "ts_nodash", "ts_nodash_with_tz", "logical_date"),
        *("data_interval_start", "data_interval_end", "dag_run", "ti", "task_instance"),
    }
)

#: A task's description is at most so long in a definition.
MAX_DESCRIPTION = 2000

P = ParamSpec("P")
#: What a call within a DAG returns, for a type checker: what the function returns in a run, so that
#: arguments are checked; for a function that returns nothing an `Output`, to be used with `>>`.
R_co = TypeVar("R_co", covariant=True)
#: The same for a mapped task: a list of them.
M_co = TypeVar("M_co", covariant=True)


class AnyTaskOptions(SensorOptions, total=False):
    """What `.override` takes, whatever the decorator was."""

    task_id: str
    outputs: Sequence[str]
    multiple_outputs: bool
    ignore_downstream_trigger_rules: bool
    env: Mapping[str, object]
    cwd: str | None
    skip_on_exit_code: int | None


class TaskFunction(Generic[P, R_co, M_co]):
    """A function that makes a task of its own type for each call within a DAG."""

    def __init__(
        self, function: Callable[P, object], kind: type[Task], options: Mapping[str, Any]
    ) -> None:
        functools.update_wrapper(self, function)  # first: it brings attributes of the function
        self.function = function
        self.kind = kind
        self.options = dict(options)
        for name in ("dag", "task_group"):
            if name in self.options:
                problem = "is not for functions: call it within `with dag:` or `with group:`"
                raise BadArgument(owner=self._label, name=name, problem=problem)

    @property
    def _label(self) -> str:
        return f"{self.function.__name__}()"

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        if scope.is_open():
            return self.make(self.bound(args, kwargs), {}).output  # type: ignore[no-any-return]  # an Output
        if collection.is_collecting():
            # A worker that imports the module is right to run it; a line of the file is not.
            raise OutsideOfADag(what=f"the call of {self._label}")
        return self.function(*args, **kwargs)  # type: ignore[return-value]  # as it was declared

    def override(self, **options: Unpack[AnyTaskOptions]) -> TaskFunction[P, R_co, M_co]:
        """The same function with other settings: `extract.override(task_id="again", retries=3)`."""
        return type(self)(self.function, self.kind, {**self.options, **options})

    def partial(self, **arguments: object) -> Mapped[M_co]:
        """The arguments that all instances of a mapped task have in common."""
        return Mapped(self, arguments)

    def expand(self, **lists: object) -> M_co:
        """Makes a mapped task: one instance for each combination of the values of these lists."""
        return Mapped[M_co](self, {}).expand(**lists)

    def expand_kwargs(self, kwargs: object) -> M_co:
        """Makes a mapped task: one instance for each of these dicts of arguments."""
        return Mapped[M_co](self, {}).expand_kwargs(kwargs)

    def bound(
        self, args: tuple[object, ...], kwargs: Mapping[str, object], *, partly: bool = False
    ) -> inspect.BoundArguments:
        """The arguments of a call, or some of them, by the names of the function's parameters."""
        signature = inspect.signature(self.function)
        try:
            bound = (signature.bind_partial if partly else signature.bind)(*args, **kwargs)
        except TypeError as error:
            problem = f"do not fit: {error}"
            raise BadArgument(owner=self._label, name="the arguments", problem=problem) from None
        if not partly:
            self._check_nothing_is_filled_in(signature, bound)
        return bound

    def _check_nothing_is_filled_in(
        self, signature: inspect.Signature, bound: inspect.BoundArguments
    ) -> None:
        for name, parameter in signature.parameters.items():
            if name in bound.arguments:
                continue
            is_all = parameter.kind is parameter.VAR_KEYWORD and name == "context"
            if is_all or (name in _AIRFLOW_FILLS_IN and parameter.default is None):
                example = f'{self.function.__name__}(day="{{{{ ds }}}}")'
                problem = (
                    f"is not filled in by itself: give the function what it needs, like {example}"
                )
                raise BadArgument(owner=self._label, name=name, problem=problem)

    def make(self, bound: inspect.BoundArguments, expansion: Mapping[str, object]) -> Task:
        """The task of one call, whose arguments `expansion` makes many."""
        options: dict[str, Any] = {
            **described(self.options, self.function, most=MAX_DESCRIPTION),
            **expansion,
            **self._own(bound, expansion),
        }
        return self.kind(_unique(options.pop("task_id", self.function.__name__)), **options)

    def _own(
        self, bound: inspect.BoundArguments, expansion: Mapping[str, object]
    ) -> dict[str, object]:
        """What the call's arguments say in the task's own settings."""
        args, kwargs = _arguments(bound)
        own: dict[str, object] = {"callable": self.function}
        return own | ({"args": args} if args else {}) | ({"kwargs": kwargs} if kwargs else {})


class Mapped(Generic[M_co]):
    """A function with some of its arguments, before it is known what makes it many."""

    def __init__(self, of: TaskFunction[Any, Any, M_co], arguments: Mapping[str, object]) -> None:
        self._of = of
        self._arguments = arguments

    def expand(self, **lists: object) -> M_co:
        """Makes a mapped task: one instance for each combination of the values of these lists."""
        if not lists:
            problem = "need a list: name the argument that differs, like expand(day=[1, 2])"
            raise BadArgument(owner=self._label, name="the arguments", problem=problem)
        for name, value in lists.items():
            if not isinstance(value, Node | list | tuple | str):
                problem = f"is a {type(value).__name__}: give a list, or what a task returns"
                raise BadArgument(owner=self._label, name=name, problem=problem)
        self._of.bound((), {**self._arguments, **lists})
        return self._made({"expand": lists})

    def expand_kwargs(self, kwargs: object) -> M_co:
        """Makes a mapped task: one instance for each of these dicts of arguments."""
        if not isinstance(kwargs, Node | list | tuple | str):
            problem = f"is a {type(kwargs).__name__}: give a list of dicts, or what a task returns"
            raise BadArgument(owner=self._label, name="the list", problem=problem)
        for each in kwargs if isinstance(kwargs, list | tuple) else ():
            self._of.bound((), {**self._arguments, **each})
        return self._made({"expand_kwargs": kwargs})

    @property
    def _label(self) -> str:
        return f"{self._of.function.__name__}.expand()"

    def _made(self, expansion: dict[str, object]) -> M_co:
        if not scope.is_open():
            raise OutsideOfADag(what=self._label)
        bound = self._of.bound((), self._arguments, partly=True)
        return self._of.make(bound, expansion).output  # type: ignore[no-any-return]  # an Output


class BashFunction(TaskFunction[P, R_co, M_co]):
    """A function that returns a shell command: it is called when the DAG is written.

    A command is never rendered, for a value pasted into it could run as code. So what is known only
    in a run (outputs and templates) reaches the function as the text `"$NAME"`, and the command as
    the environment variable of that name.
    """

    def _own(
        self, bound: inspect.BoundArguments, expansion: Mapping[str, object]
    ) -> dict[str, object]:
        env = dict(self.options.get("env", {}))
        for name in expansion.get("expand", {}):  # type: ignore[attr-defined]  # it is a dict
            bound.arguments[name] = f"{{{{ map.{name} }}}}"
        for name, value in bound.arguments.items():
            if _is_known_in_a_run(value):
                variable = name.upper()
                env[variable] = value
                bound.arguments[name] = f'"${variable}"'
            elif any(tasks_in(value)):
                problem = "holds an output, and a variable is one text: give each an argument"
                raise BadArgument(owner=self._label, name=name, problem=problem)
        command = self.function(*bound.args, **bound.kwargs)
        if not isinstance(command, str):
            problem = f"is a {type(command).__name__}: return the command as text"
            raise BadArgument(owner=self._label, name="what it returns", problem=problem)
        return {"command": command} | ({"env": env} if env else {})

    def make(self, bound: inspect.BoundArguments, expansion: Mapping[str, object]) -> Task:
        """As of any function; but what `expand_kwargs` brings has no names yet."""
        if "expand_kwargs" in expansion:
            problem = "cannot tell which variables the command has: use .expand(name=[…])"
            raise BadArgument(owner=self._label, name="expand_kwargs", problem=problem)
        return super().make(bound, expansion)


def _is_known_in_a_run(value: object) -> bool:
    return isinstance(value, Node) or (isinstance(value, str) and "{{" in value)


def _arguments(bound: inspect.BoundArguments) -> tuple[list[object], dict[str, object]]:
    """Arguments by position and by name; by name whatever can be, so that one call has one form."""
    parameters = bound.signature.parameters
    if any(parameters[name].kind is inspect.Parameter.VAR_POSITIONAL for name in bound.arguments):
        return list(bound.args), dict(bound.kwargs)
    by_position = [
        value
        for name, value in bound.arguments.items()
        if parameters[name].kind is inspect.Parameter.POSITIONAL_ONLY
    ]
    return by_position, dict(_by_name(bound))


def _by_name(bound: inspect.BoundArguments) -> Iterator[tuple[str, object]]:
    for name, value in bound.arguments.items():
        match bound.signature.parameters[name].kind:
            case inspect.Parameter.VAR_KEYWORD:
                yield from value.items()
            case inspect.Parameter.POSITIONAL_OR_KEYWORD | inspect.Parameter.KEYWORD_ONLY:
                yield name, value


def _unique(task_id: str) -> str:
    dag, group = scope.place(task_id)
    prefix = group.child_id("") if group else ""
    return numbered(prefix + task_id, dag.by_id, dag.numbers)[len(prefix) :]
