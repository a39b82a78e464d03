"""Which task this process is executing just now, and what its code may ask.

Whoever executes says so: a worker's answers come from Postgres, those of a run that is only tried
from memory. One process executes one task at a time, so all its threads are the task's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from runs_app.domain.executions import Execution
from runs_app.domain.state import Entry, Place, Write
from skytrail.security.secrets.values import ConnectionValue, VariableValue


class NotAtWork(RuntimeError):
    """Something was asked that only a task's code can, while the task is executed."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} is there while a task is executed: call it in the task's function. In tests, "
            "run the DAG with skytrail.testing.run_dag"
        )


class States(Protocol):
    """The state store, as a task sees it."""

    def get(self, execution: Execution, place: Place, key: str) -> Entry | None:
        """What is kept under the key; None where nothing is, or its time is up."""

    def write(self, execution: Execution, place: Place, key: str, write: Write) -> int | None:
        """Keeps it; its version, or None where another is there than was expected.

        Raises `Overtaken` where the execution counts no more.
        """

    def delete(self, execution: Execution, place: Place, key: str, *, expected: int | None) -> bool:
        """Forgets it; whether there was something. Raises as `write` does."""


class Secrets(Protocol):
    """Connections and variables, by name."""

    def connection(self, conn_id: str) -> ConnectionValue:
        """The connection of this name. Raises a `SkytrailError` where it cannot be had."""

    def variable(self, key: str) -> VariableValue:
        """The variable of this name. Raises a `SkytrailError` where it cannot be had."""


@dataclass(frozen=True, slots=True)
class AtWork:
    """The execution under way, and who answers."""

    execution: Execution
    states: States
    secrets: Secrets


_here: list[AtWork] = []


def here(what: str) -> AtWork:
    """The execution under way. Raises `NotAtWork`, naming `what` was asked for."""
    try:
        return _here[-1]
    except IndexError:
        raise NotAtWork(what) from None


@contextlib.contextmanager
def at_work(work: AtWork) -> Iterator[None]:
    """Within, `work` is what this process executes."""
    _here.append(work)
    try:
        yield
    finally:
        _here.remove(work)
