"""`@dag`: a function that writes a DAG each time it is called."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Generic, ParamSpec, Protocol, Unpack, cast, overload

from dags_app.authoring import collection
from dags_app.authoring.dags import DAG, DagOptions
from dags_app.authoring.docstrings import described

P = ParamSpec("P")

#: A DAG's description is at most so long in a definition.
MAX_DESCRIPTION = 10_000


class DagFactory(Generic[P]):
    """A function with @dag: each call makes a DAG of the tasks that it makes."""

    def __init__(
        self, function: Callable[P, object], dag_id: str | None, options: DagOptions
    ) -> None:
        functools.update_wrapper(self, function)  # first: it brings attributes of the function
        self.function = function
        self.dag_id = dag_id or function.__name__
        self.options = options
        self.name = function.__qualname__
        #: How many DAGs it has made.
        self.made = 0
        collection.declared(self)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> DAG:
        self.made += 1
        options = described(self.options, self.function, most=MAX_DESCRIPTION)
        with DAG(self.dag_id, **cast("DagOptions", options)) as made:
            self.function(*args, **kwargs)
        if not args and not kwargs:
            made.factory = self
        return made

    @functools.cached_property
    def functions(self) -> SimpleNamespace:
        """The functions of the DAG's tasks, which are defined within this one: for workers."""
        with collection.unnoticed():
            return cast("Callable[[], DAG]", self)().functions


class _Decorating(Protocol):
    def __call__(self, function: Callable[P, object], /) -> DagFactory[P]: ...


@overload
def dag(function: Callable[P, object], /) -> DagFactory[P]: ...
@overload
def dag(dag_id: str | None = None, /, **options: Unpack[DagOptions]) -> _Decorating: ...
@overload
def dag(*, dag_id: str, **options: Unpack[DagOptions]) -> _Decorating: ...
def dag(
    first: Callable[..., object] | str | None = None,
    /,
    *,
    dag_id: str | None = None,
    **options: Any,
) -> Any:
    """Makes a function write a DAG: its id is the function's name, unless `dag_id` is given.

    A file's DAGs are those that its functions have made when it was imported: call it.
    """
    if callable(first):
        return DagFactory(first, dag_id, cast("DagOptions", options))
    name = dag_id or first
    return lambda function: DagFactory(function, name, cast("DagOptions", options))
