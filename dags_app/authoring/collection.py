"""Finding the DAGs of a file: whoever imports it learns which ones its lines have made.

    with collecting() as found:
        importlib.import_module("etl.daily")
    for dag in found.dags:
        spec = dag.spec()

As in Airflow a DAG needs no name of its own in the file: it is found because it was made.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dags_app.authoring.dags import DAG
    from dags_app.authoring.factories import DagFactory


@dataclass(slots=True)
class Collection:
    """What was made while a file was imported, in the order of its lines."""

    #: The DAGs. Each has `.dag_id`, `.document()` and `.spec()`; `.module` is the module whose
    #: lines have made it, which may be another one that the file imports.
    dags: list[DAG] = field(default_factory=list)
    #: Functions with @dag; one that is never called makes no DAG.
    factories: list[DagFactory[Any]] = field(default_factory=list)

    @property
    def never_called(self) -> list[str]:
        """Names of functions with @dag that nobody has called: their authors will wonder."""
        return [factory.name for factory in self.factories if not factory.made]


_COLLECTION: ContextVar[Collection | None] = ContextVar("skytrail_collection", default=None)


@contextmanager
def collecting() -> Iterator[Collection]:
    """Within, each DAG that is made is noted down."""
    found = Collection()
    token = _COLLECTION.set(found)
    try:
        yield found
    finally:
        _COLLECTION.reset(token)


@contextmanager
def unnoticed() -> Iterator[None]:
    """Within, DAGs that are made are nobody's business."""
    token = _COLLECTION.set(None)
    try:
        yield
    finally:
        _COLLECTION.reset(token)


def is_collecting() -> bool:
    """Whether a file is being imported for its DAGs."""
    return _COLLECTION.get() is not None


def made(dag: DAG) -> None:
    """Notes down a DAG, where somebody wants to know."""
    if (found := _COLLECTION.get()) is not None:
        found.dags.append(dag)


def declared(factory: DagFactory[Any]) -> None:
    """Notes down a function with @dag, where somebody wants to know."""
    if (found := _COLLECTION.get()) is not None:
        found.factories.append(factory)
