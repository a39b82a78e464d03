"""Which task this process is executing just now, and what its code may ask.

Whoever executes says so: a worker's answers come from Postgres, those of a run that is only tried
from memory. One process executes one task at a time, so all its threads are the task's.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO, Protocol
from uuid import UUID

from runs_app.domain.artifacts import Handle, ToKeep
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


class Artifacts(Protocol):
    """The artifact store, as a task sees it. All raise `StoreFailed` where it does not answer."""

    def keep(self, execution: Execution, source: IO[bytes], wanted: ToKeep) -> Handle:
        """Keeps all that `source` has. Raises `ArtifactOvertaken`."""

    def read(self, artifact_id: UUID, sink: BinaryIO) -> None:
        """Writes what was kept into `sink`. Raises `ArtifactGone`, `NoSuchArtifact`, `Damaged`."""


class Folder:
    """A temporary folder for one execution: made when asked for, and gone with it."""

    def __init__(self, parent: str | None = None) -> None:
        """`parent`: within which folder; None: the system's for temporary ones."""
        self._parent = parent
        self._path: Path | None = None

    @property
    def path(self) -> Path:
        if self._path is None:
            self._path = Path(tempfile.mkdtemp(prefix="task-", dir=self._parent))
        return self._path

    def remove(self) -> None:
        if self._path is not None:
            shutil.rmtree(self._path, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class AtWork:
    """The execution under way, and who answers."""

    execution: Execution
    states: States
    secrets: Secrets
    artifacts: Artifacts
    folder: Folder = field(default_factory=Folder)


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
        work.folder.remove()
