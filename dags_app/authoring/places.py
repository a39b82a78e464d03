"""Where a worker finds a task's function: the dotted path that stands for it in a definition.

`etl.daily:extract` for a function of a module; for one that a DAG's own function defines,
`etl.daily:my_dag.functions.extract`, since the module has no such name: it is asked of the DAG. A
DAG that has no name in its module is found by its id, in a table that is kept there:
`etl.daily:__skytrail__.my_dag.functions.extract`.
"""

from __future__ import annotations

import inspect
import operator
import re
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar

from dags_app.authoring.errors import NowhereToFind
from dags_app.authoring.numbering import numbered

if TYPE_CHECKING:
    from dags_app.authoring.dags import DAG

T = TypeVar("T")

#: The name of the table in a module.
TABLE = "__skytrail__"

_OURS = __name__.rpartition(".")[0]


def keep(thing: T, name: str, *, among: SimpleNamespace, is_same: Callable[[T, T], bool]) -> None:
    """Makes `thing` an attribute of `among`, instead of the same one that may be there already; a
    name that another thing has is given a number.
    """
    known = _name_of(thing, among, is_same)
    setattr(among, known or numbered(_as_attribute(name), vars(among)), thing)


def use(function: object, dag: DAG) -> None:
    """`dag` has a task that calls `function`, if it is one."""
    if callable(function):
        name = getattr(function, "__name__", "function")
        keep(function, name, among=dag.functions, is_same=operator.is_)


def module_being_imported() -> dict[str, Any] | None:
    """The names of the module whose lines are making something just now; None if there is none."""
    frame = inspect.currentframe()
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if frame.f_code.co_name == "<module>" and not name.startswith(_OURS):
            return frame.f_globals
        frame = frame.f_back
    return None


def note_down(dag: DAG) -> str | None:
    """Keeps a DAG in the table of the module that makes it, and returns the module's name."""
    names = module_being_imported()
    if names is None or names["__name__"] == "__main__":  # which nobody imports
        return None
    table = names.setdefault(TABLE, SimpleNamespace())
    keep(dag, dag.dag_id, among=table, is_same=_have_one_id)
    return str(names["__name__"])


def path_of(function: Callable[..., object], dag: DAG) -> str:
    """The dotted path of a function that `dag` uses.

    Raises `NowhereToFind` for a lambda, and for what belongs to a script that is run.
    """
    name = getattr(function, "__qualname__", type(function).__name__)
    module = getattr(function, "__module__", None) or ""
    if name.rpartition(".")[2] == "<lambda>":
        raise NowhereToFind(name="a lambda", reason="it has no name; write a function with def")
    if module == "__main__":
        reason = (
            "it belongs to a script that is run (__main__), and a worker imports modules; import "
            "the file that defines it instead of running it"
        )
        raise NowhereToFind(name=name, reason=reason)
    if is_reachable(function):
        return f"{module}:{name}"
    inner = f"functions.{_name_of(function, dag.functions, operator.is_)}"
    if dag.factory is not None and is_reachable(dag.factory.function):
        return f"{dag.factory.function.__module__}:{dag.factory.function.__qualname__}.{inner}"
    if dag.module is None:
        reason = (
            f"it is defined inside another function, and the DAG {dag.dag_id!r} is not made by the "
            "lines of a module; make the DAG at the top of a file, or the function"
        )
        raise NowhereToFind(name=name, reason=reason)
    table = getattr(sys.modules[dag.module], TABLE)
    return f"{dag.module}:{TABLE}.{_name_of(dag, table, _have_one_id)}.{inner}"


def is_reachable(function: Callable[..., object]) -> bool:
    """Whether its module and its qualified name lead back to it, or to what decorates it."""
    found: Any = sys.modules.get(getattr(function, "__module__", None) or "")
    for name in getattr(function, "__qualname__", "").split("."):
        found = getattr(found, name, None)
    return found is function or getattr(found, "function", None) is function


def _name_of(thing: T, among: SimpleNamespace, is_same: Callable[[T, T], bool]) -> str | None:
    return next((name for name, known in vars(among).items() if is_same(known, thing)), None)


def _have_one_id(one: DAG, other: DAG) -> bool:
    return one.dag_id == other.dag_id


def _as_attribute(text: str) -> str:
    name = re.sub(r"\W", "_", text, flags=re.ASCII)
    return name if name[:1].isalpha() else f"x{name}"
