"""`skytrail dags validate` over files and folders, as compilers say what is wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

import typer

from dags_app.authoring.loading import Fault, Loaded, load_files
from skytrail.cli.output import Format, show_record, show_rows
from skytrail.documents.finding import find_files
from skytrail.embedded.dags_dir import root_of

#: Something is wrong with a file.
FAULTY = 1


def check_files(paths: Sequence[Path], output: Format) -> int:
    """Loads the files, and all below the folders; says what is wrong with them. The exit code."""
    # Modules are found as they will be by whoever syncs the folder.
    root_for = {file: root for path in paths for file, root in _files(path)}
    files = list(root_for)
    loaded = [
        one
        for root, group in groupby(files, key=root_for.__getitem__)
        for one in load_files(list(group), root=root)
    ]
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


def _files(path: Path) -> Iterable[tuple[Path, Path | None]]:
    if not path.is_dir():
        return [(path, root_of(path))]
    return [(file, root_of(file) or path) for file in find_files(path)]


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
