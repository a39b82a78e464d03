"""Arguments that several commands take."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from skytrail.documents import read_json
from skytrail.errors import Invalid

DagArgument = Annotated[str, typer.Argument(metavar="DAG", help="The DAG's name.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")]
TaskArgument = Annotated[str, typer.Argument(metavar="TASK", help="The task's id.")]
FileArgument = Annotated[
    str, typer.Argument(metavar="FILE", help="A definition in JSON; - for standard input.")
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
    """The JSON in a file. Raises `NoSuchFile`, and what `read_json` raises."""
    if name == "-":
        return read_json(sys.stdin.buffer.read())
    try:
        return read_json(Path(name).read_bytes())
    except OSError as error:
        raise NoSuchFile(name=name, reason=error.strerror) from None
