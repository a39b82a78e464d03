"""`skytrail dags validate` over files and folders, as compilers say what is wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import typer

from dags_app.authoring.loading import Fault, Loaded, load_files
from skytrail.cli.output import Format, show_record, show_rows
from skytrail.documents.finding import find_files

#: Something is wrong with a file.
FAULTY = 1


def check_files(paths: Sequence[Path], output: Format) -> int:
    """Loads the files, and all below the folders; says what is wrong with them. The exit code."""
    files = list(dict.fromkeys(file for path in paths for file in _files(path)))
    loaded = load_files(files)
    faults = [(one.file, fault) for one in loaded for fault in one.faults]
    faults += _repeated(loaded)
    if output is Format.JSON:
        rows = [
            {"file": str(file), "line": f.line, "column": f.column, "message": f.message}
            for file, f in faults
        ]
        show_rows(rows, ("file", "line", "column", "message"), output, empty="")
    else:
        for file, fault in faults:
            typer.echo(fault.at(file))
        if not faults:
            dags = sum(len(one.documents) for one in loaded)
            show_record({"files": len(files), "dags": dags, "valid": True}, output)
    return FAULTY if faults else 0


def _files(path: Path) -> Iterable[Path]:
    return find_files(path) if path.is_dir() else [path]


def _repeated(loaded: Sequence[Loaded]) -> list[tuple[Path, Fault]]:
    """A name has one DAG: the first file keeps it, and each later one is told."""
    makers: defaultdict[str, list[Path]] = defaultdict(list)
    for one in loaded:
        for document in one.documents:
            makers[document.get("name") or document["dag_id"]].append(one.file)
    return [
        (
            file,
            Fault(message=f"{first} makes a DAG {name!r} already; give one of them another name"),
        )
        for name, (first, *others) in makers.items()
        for file in others
    ]
