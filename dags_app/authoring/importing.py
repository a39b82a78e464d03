"""Importing a file for its DAGs, in this very process: for whoever tries one of them.

What harms only whoever asked for it needs no process of its own.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from dags_app.authoring.collection import Collection, collecting
from dags_app.authoring.dags import DAG
from dags_app.authoring.errors import hint
from skytrail.errors import Invalid, NotFound, Problem, SkytrailError


class CannotImport(Invalid):
    """The file {file} cannot be imported: {reason}"""


class NoDags(Invalid):
    """The file {file} makes no DAG{hint}"""


class WhichDag(Invalid):
    """The file {file} makes several DAGs: {names}. Say which one: {file}::{first}"""


class NoSuchDagInFile(NotFound):
    """The file {file} makes no DAG {dag_id!r}{hint}"""


def dag_in(file: Path, dag_id: str | None = None, *, root: Path | None = None) -> DAG:
    """The DAG of this name that a file makes; without a name the only one.

    Raises `CannotImport`, `NoDags`, `WhichDag` and `NoSuchDagInFile`.
    """
    found = import_file(file, root=root)
    by_name = {dag.dag_id: dag for dag in found.dags}
    if not by_name:
        uncalled = ", ".join(f"{name}()" for name in found.never_called)
        way_out = f": its functions with @dag are never called; add {uncalled}" if uncalled else ""
        raise NoDags(
            file=file, hint=way_out or ": write `with DAG(...)`, or call a function with @dag"
        )
    if dag_id is None:
        if len(by_name) > 1:
            raise WhichDag(file=file, names=", ".join(by_name), first=next(iter(by_name)))
        return next(iter(by_name.values()))
    if dag_id not in by_name:
        way_out = hint(dag_id, by_name, f", only {', '.join(by_name)}")
        raise NoSuchDagInFile(file=file, dag_id=dag_id, hint=way_out)
    return by_name[dag_id]


def import_file(file: Path, *, root: Path | None = None) -> Collection:
    """Imports a file as a module of the name by which a worker finds it, and says what it makes.

    That is its path below a place where modules are looked for; else its own name, and its folder
    becomes such a place. With `root`, that is the only place in question: workers look there too.
    Raises `CannotImport`.
    """
    path = file.resolve()
    if not path.is_file():
        raise CannotImport(file=file, reason="there is no such file")
    if root is not None and str(root) not in sys.path:
        sys.path.append(str(root))  # behind all others, whose modules stay what they are
    name = _name_below_a_place(path, sys.path if root is None else [str(root)])
    if name is None and root is not None:
        raise CannotImport(file=file, reason="its folders and itself need names that Python takes")
    if name is None:
        sys.path.append(str(path.parent))  # behind all others, whose modules stay what they are
        name = path.stem
    if name in sys.modules and _is_made_from(sys.modules[name], path):
        del sys.modules[name]  # it may have been changed since
    try:
        with collecting() as found:
            module = importlib.import_module(name)
    except SkytrailError:
        raise  # it says what is wrong, and how to put it right
    except Exception as error:
        raise CannotImport(
            file=file, reason=f"{type(error).__name__}: {error}", problems=_lines(error)
        ) from error
    if not _is_made_from(module, path):
        reason = f"there is another module {name!r}; give the file another name"
        raise CannotImport(file=file, reason=reason)
    return found


def _is_made_from(module: ModuleType, path: Path) -> bool:
    return Path(getattr(module, "__file__", None) or "").resolve() == path


def _name_below_a_place(path: Path, places: Sequence[str]) -> str | None:
    for place in places:
        root = Path(place or ".").resolve()
        if root in path.parents:
            parts = path.relative_to(root).with_suffix("").parts
            if all(part.isidentifier() for part in parts):
                return ".".join(parts)
    return None


def _lines(error: Exception) -> list[Problem]:
    """The way to the error, without what is ours and Python's."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "importlib" not in frame.filename and frame.filename != __file__
    ]
    return [
        Problem(f"{frame.filename}:{frame.lineno}", "traceback", frame.line or "")
        for frame in frames
    ]
