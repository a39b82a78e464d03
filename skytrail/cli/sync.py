"""`skytrail sync`: the DAGs of a folder become what its files say."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from skytrail.cli.output import Format, OutputOption, show_record
from skytrail.cli.project import actor, connect

if TYPE_CHECKING:
    from dags_app.actions.syncing import Synced

#: Something is wrong with a file.
FAULTY = 1

#: How each outcome is shown.
_SIGNS = {
    "created": "[green]+[/green]",
    "changed": "[cyan]~[/cyan]",
    "returned": "[green]↺[/green]",
    "gone": "[yellow]-[/yellow]",
}


def sync(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder with the files.")],
    output: OutputOption = Format.TABLE,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would become of each DAG.")
    ] = False,
    take_over: Annotated[
        bool,
        typer.Option(
            "--take-over", help="Also DAGs that were made elsewhere, or by another folder."
        ),
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on, and sync whenever a file has changed.")
    ] = False,
    allow_empty: Annotated[
        bool,
        typer.Option("--allow-empty", help="Pause all as gone where the folder is empty."),
    ] = False,
) -> None:
    """Bring the DAGs of a folder up to what its files say.

    Python, YAML and JSON; each is loaded in a process of its own. A DAG whose file is gone is
    paused, and its history stays. Exit code 1 if something is wrong with a file; the others are
    synced all the same.
    """
    if watch and dry_run:
        raise typer.BadParameter("--watch and --dry-run do not go together", param_hint="--watch")
    connect()
    from dags_app.actions import syncing

    def once() -> Synced:
        with _Loading() as loading:
            return syncing.sync(
                folder,
                author=actor(),
                dry_run=dry_run,
                take_over=take_over,
                allow_empty=allow_empty,
                told=loading.advance,
            )

    if watch:
        from skytrail.cli.keeping_up import keep_up

        with contextlib.suppress(KeyboardInterrupt):
            keep_up(
                folder,
                once,
                show=lambda synced: show(synced, output, dry_run=False),
                say=lambda text: typer.echo(text, err=True),
            )
        return
    synced = once()
    show(synced, output, dry_run=dry_run)
    raise typer.Exit(FAULTY if synced.faults else 0)


def show(synced: Synced, output: Format, *, dry_run: bool) -> None:
    """What has changed, what is wrong, and how many there are of each."""
    from dags_app.actions.syncing import Outcome

    counts = {str(outcome): synced.count(outcome) for outcome in Outcome}
    summary = {
        "folder": str(synced.root),
        "files": synced.files,
        **counts,
        "errors": len(synced.faults),
        "dry_run": dry_run,
    }
    if output is Format.JSON:
        dags = [
            {"dag_id": dag, "file": file, "outcome": str(outcome)}
            for dag, file, outcome in synced.dags
        ]
        errors = [
            {"file": file, "line": f.line, "column": f.column, "message": f.message}
            for file, f in synced.faults
        ]
        show_record({**summary, "dags": dags, "errors": errors}, output)
        return
    for file, fault in synced.faults:
        typer.echo(fault.at(synced.root / file), err=True)
    if output is Format.PLAIN:
        for dag, file, outcome in synced.dags:
            typer.echo(f"{outcome}\t{dag}\t{file}")
        return
    console = Console(highlight=False, soft_wrap=True)
    for dag, file, outcome in synced.dags:
        if sign := _SIGNS.get(str(outcome)):
            console.print(f"{sign} {escape(dag)} [bright_black]{escape(file)}[/bright_black]")
    console.print(in_words(synced, dry_run=dry_run))


def in_words(synced: Synced, *, dry_run: bool = False) -> str:
    """The counts in one line."""
    from dags_app.actions.syncing import Outcome

    words = {outcome: str(outcome) for outcome in Outcome}
    words[Outcome.GONE] = "paused as gone"
    parts = [
        f"{count} {word}" for outcome, word in words.items() if (count := synced.count(outcome))
    ]
    if synced.faults:
        parts.append(f"{len(synced.faults)} error{'s' * (len(synced.faults) > 1)}")
    files = f"{synced.files} file{'s' * (synced.files != 1)}"
    rest = "; nothing was saved (dry run)" if dry_run else ""
    return f"{files}: {', '.join(parts) or 'no DAGs'}{rest}"


class _Loading:
    """A bar on stderr while files are loaded, where somebody sits there."""

    def __init__(self) -> None:
        self._bar = Progress(
            TextColumn("loading files"),
            BarColumn(),
            MofNCompleteColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> _Loading:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def advance(self, total: int) -> None:
        self._bar.update(self._task, advance=1, total=total)
