"""Reading one file for its definitions, in the process that was made for it."""

from __future__ import annotations

import re
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any

from dags_app.authoring.importing import CannotImport, import_file
from dags_app.authoring.loading.results import Fault, Loaded
from dags_app.domain.parse import BadDefinition, parse
from skytrail.documents import read_json, read_yaml
from skytrail.documents.yaml_text import Located
from skytrail.errors import Invalid, Problem, SkytrailError

_PLACE = re.compile(r"line (\d+), column (\d+): (.*)", re.DOTALL)


def read_file(file: Path, root: Path | None = None) -> Loaded:
    """The definitions in a file, or what is wrong with it, whatever its lines may raise."""
    known = frozenset(sys.modules)
    try:
        documents = _python(file, root) if file.suffix == ".py" else [_data(file)]
    except _Faulty as faulty:
        return Loaded(file=file, faults=tuple(faulty.faults))
    except BaseException as error:  # noqa: BLE001  # a file may raise anything, SystemExit too
        return Loaded(file=file, faults=_faults(error, file))
    reads = _imported_below(root, since=known) if root else ()
    return Loaded(file=file, documents=tuple(documents), reads=reads)


def _imported_below(root: Path, *, since: frozenset[str]) -> tuple[str, ...]:
    """The files below `root` that modules were made from."""
    files = [
        getattr(module, "__file__", None)
        for name, module in tuple(sys.modules.items())
        if name not in since
    ]
    paths = {Path(file).resolve() for file in files if isinstance(file, str)}
    return tuple(sorted(str(path) for path in paths if root in path.parents))


class _Faulty(Exception):
    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults


def _python(file: Path, root: Path | None) -> list[dict[str, Any]]:
    found = import_file(file, root=root)
    if found.never_called and not found.dags:
        calls = ", ".join(f"{name}()" for name in found.never_called)
        raise _Faulty([Fault(message=f"its functions with @dag are never called; add {calls}")])
    for dag in found.dags:
        dag.spec()
    return [dag.document() for dag in found.dags]


def _data(file: Path) -> dict[str, Any]:
    raw = file.read_bytes()
    located = Located(read_json(raw)) if file.suffix == ".json" else read_yaml(raw)
    try:
        parse(located.value)
    except BadDefinition as error:
        if file.suffix == ".json":
            located = _marked(raw)
        raise _Faulty([_placed(problem, located) for problem in error.problems]) from None
    document: dict[str, Any] = located.value
    return document


def _marked(raw: bytes) -> Located:
    try:
        return read_yaml(raw)  # JSON is YAML too, and that reader knows where things stand
    except Invalid:  # but for tabs, say
        return Located({})


def _placed(problem: Problem, located: Located) -> Fault:
    line, column = located.where(problem.path) if located.marks else (0, 0)
    return Fault(message=_said(problem), line=line, column=column)


def _faults(error: BaseException, file: Path) -> tuple[Fault, ...]:
    """What an exception says, at the last line of the file that had a part in it."""
    if isinstance(error, CannotImport) and error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, SkytrailError) and not _line_in(error.__traceback__, file):
        return tuple(_of_problem(problem) for problem in error.problems) or (
            Fault(message=error.message),
        )
    trace = "".join(traceback.format_exception(error))
    if isinstance(error, SyntaxError) and Path(error.filename or "") == file:
        line, column = error.lineno or 0, error.offset or 0
        return (Fault(message=f"SyntaxError: {error.msg}", line=line, column=column),)
    line = _line_in(error.__traceback__, file)
    return (Fault(message=_named(error), line=line, column=1 if line else 0, traceback=trace),)


def _of_problem(problem: Problem) -> Fault:
    """A problem whose message may begin with its place."""
    if match := _PLACE.fullmatch(problem.message):
        return Fault(message=match[3], line=int(match[1]), column=int(match[2]))
    return Fault(message=_said(problem))


def _said(problem: Problem) -> str:
    return f"{problem.path}: {problem.message}" if problem.path else problem.message


def _named(error: BaseException) -> str:
    if isinstance(error, SkytrailError):
        return error.message
    if isinstance(error, SystemExit):
        return f"it ends with sys.exit({error.code!r}); a file of DAGs only defines them"
    if isinstance(error, MemoryError):
        return "it uses more memory than a file of DAGs may; do the work in tasks"
    try:
        text = str(error)
    except Exception:  # noqa: BLE001  # it is the file's code too
        text = "(its text cannot be shown)"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _line_in(frames: TracebackType | None, file: Path) -> int:
    lines = [
        frame.lineno or 0 for frame in traceback.extract_tb(frames) if Path(frame.filename) == file
    ]
    return lines[-1] if lines else 0
