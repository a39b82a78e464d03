"""The files of DAGs in a folder, read for what they make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dags_app.authoring.fingerprints import digest_of
from dags_app.authoring.loading import Fault, Loaded, load_files
from dags_app.domain.parse import parse
from dags_app.domain.spec import DagSpec
from skytrail.documents.finding import FolderNotReadable, find_files
from skytrail.errors import Invalid, SkytrailError


@dataclass(frozen=True, kw_only=True)
class File:
    """A file that is there, as it was read."""

    path: str
    digest: str
    reads: tuple[str, ...] = ()
    specs: tuple[DagSpec, ...] = ()
    faults: tuple[Fault, ...] = ()

    @property
    def claims(self) -> list[str] | None:
        """The DAGs that it makes; None where nobody can know."""
        return [spec.name for spec in self.specs] if self.specs or not self.faults else None


def files_in(root: Path) -> tuple[list[str], list[tuple[str, Fault]]]:
    """The files by their paths below the folder; and those whose names no database can keep.

    Raises what `find_files` raises.
    """
    if storable(str(root)) != str(root):
        raise FolderNotReadable(folder=storable(str(root)), reason="its name is not UTF-8")
    names, faults = [], []
    for file in find_files(root):
        name = file.relative_to(root).as_posix()
        if (kept := storable(name)) == name:
            names.append(name)
        else:
            faults.append((kept, Fault(message="its name is not UTF-8; give it another one")))
    return names, faults


def load(root: Path, names: Sequence[str], told: Callable[[int], None]) -> list[File]:
    """What became of each file; `told` is called with their number whenever one more is done."""
    # What is written while it is loaded is seen the next time.
    before = {name: digest_of(root, name) for name in names}
    found = load_files([root / name for name in names], root=root, told=lambda: told(len(names)))
    return [
        _read(root, name, before[name], loaded) for name, loaded in zip(names, found, strict=True)
    ]


def _read(root: Path, name: str, before: str, loaded: Loaded) -> File:
    if loaded.faults:
        return File(path=name, digest="", faults=loaded.faults)
    try:
        specs = tuple(parse(document) for document in loaded.documents)
    except Invalid as error:
        return File(path=name, digest="", faults=faults_of(error))
    where = root.resolve()
    reads = tuple(Path(read).relative_to(where).as_posix() for read in loaded.reads)
    others = tuple(read for read in reads if read != name)
    was = digest_of(root, name) == before
    digest = digest_of(root, name, others) if was else ""
    return File(path=name, digest=digest, reads=others, specs=specs)


def faults_of(error: SkytrailError) -> tuple[Fault, ...]:
    """Each of its problems, as one of a file."""
    said = [": ".join(filter(None, (found.path, found.message))) for found in error.problems]
    return tuple(Fault(message=message) for message in said or [error.message])


def storable(text: str) -> str:
    """Without what a database does not take; a file may raise any text."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
