"""Arguments that several commands take."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from skytrail.documents import read_json, read_yaml
from skytrail.errors import Invalid, Problem

if TYPE_CHECKING:
    from dags_app.domain.spec import DagSpec

#: Line and column of a place in a document, like `tasks[2].id`.
Where: TypeAlias = Callable[[str], tuple[int, int]]

DagArgument = Annotated[str, typer.Argument(metavar="DAG", help="The DAG's name.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")]
TaskArgument = Annotated[str, typer.Argument(metavar="TASK", help="The task's id.")]
FileArgument = Annotated[
    str, typer.Argument(metavar="FILE", help="A definition in YAML or JSON; - for standard input.")
]
FileOrDagArgument = Annotated[
    str,
    typer.Argument(
        metavar="FILE_OR_DAG",
        help="A file with a definition (- for standard input), or the name of a saved DAG.",
    ),
]
ConfOption = Annotated[str | None, typer.Option("--conf", "-c", help="Parameters, as JSON.")]

#: How dates are written on the command line.
DATE_FORMATS = ["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z", "%Y-%m-%d"]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many.")]


class NoSuchFile(Invalid):
    """The file {name} cannot be read: {reason}"""


def read_document(name: str) -> Any:
    """The value in a YAML or JSON file. Raises `NoSuchFile`, and what reading raises."""
    return read_located(name)[0]


def read_spec(name: str) -> DagSpec:
    """The definition in a file. Raises what reading raises, and `BadDefinition`, whose problems say
    in which line they are.
    """
    from dags_app.domain.parse import BadDefinition, parse

    value, where = read_located(name)
    try:
        return parse(value)
    except BadDefinition as error:
        raise BadDefinition(
            problems=[_located(problem, where) for problem in error.problems]
        ) from None


def read_located(name: str) -> tuple[Any, Where]:
    """The value in a file, and what says in which line and column a part of it stands."""
    raw = _bytes_of(name)
    if _is_json(name, raw):
        # Where it is sound nobody asks; if somebody does, it is read once more, as the YAML it is.
        return read_json(raw), lambda path: read_yaml(raw).where(path)
    located = read_yaml(raw)
    return located.value, located.where


def _bytes_of(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise NoSuchFile(name=name, reason=error.strerror) from None


def _is_json(name: str, raw: bytes) -> bool:
    suffix = Path(name).suffix.lower()
    if suffix in {".yaml", ".yml"}:
        return False
    return suffix == ".json" or raw.lstrip()[:1] in {b"{", b"["}


def _located(problem: Problem, where: Where) -> Problem:
    try:
        line, column = where(problem.path)
    except Invalid:  # tabs, say, that JSON takes and YAML does not
        return problem
    return Problem(problem.path, problem.code, f"line {line}, column {column}: {problem.message}")
