"""What became of a file, as it comes through a pipe from a process that nobody trusts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that keeps a file from being used. `line` and `column` count from 1; 0: unknown."""

    message: str
    line: int = 0
    column: int = 0
    traceback: str = ""

    def at(self, file: Path) -> str:
        """`file:line:column: message`, as editors and compilers write it."""
        where = ":".join(str(part) for part in (file, self.line, self.column) if part)
        return f"{where}: {self.message}"


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """The definitions that a file makes, by documents; or what is wrong with it."""

    file: Path
    documents: tuple[dict[str, Any], ...] = ()
    faults: tuple[Fault, ...] = ()
    #: The files that it has imported modules from, as far as they are below the folder in question.
    reads: tuple[str, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """For a pipe."""
        return {
            "documents": list(self.documents),
            "faults": [asdict(fault) for fault in self.faults],
            "reads": list(self.reads),
        }

    @classmethod
    def of_data(cls, file: Path, data: Any) -> Self:
        """What came out of a pipe. Raises `ValueError` for what `as_data` cannot have made."""
        try:
            documents = tuple(dict(document) for document in data["documents"])
            faults = tuple(Fault(**fault) for fault in data["faults"])
            reads = tuple(str(name) for name in data["reads"])
        except (TypeError, KeyError, ValueError) as error:
            raise ValueError(str(error)) from error
        return cls(file=file, documents=documents, faults=faults, reads=reads)
