"""`skytrail fsck`: whether everything that must always hold does hold."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from skytrail.cli.output import Format, OutputOption, console, show_record, show_rows
from skytrail.cli.project import actor, connect
from skytrail.errors import Invalid

if TYPE_CHECKING:
    from runs_app.actions.repairing import Treated
    from runs_app.selectors.invariants.examining import Examination, Scope

#: Something is broken.
BROKEN = 1

_AGO = re.compile(r"(\d+)\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

_BROKEN_ROWS = ("invariant", "dag_id", "run_id", "task_id", "problem")


class BadSince(Invalid):
    """--since {text} is no time. Give how long ago (30m, 6h, 2d, 1w), or a date and time such as
    2026-01-31T09:00:00+00:00.
    """


def fsck(
    output: OutputOption = Format.TABLE,
    since: Annotated[
        str, typer.Option(help="Of the runs that are over, those that ended since: 6h, 2d, a date.")
    ] = "1d",
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="All runs that there are, however old.")
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend what can be mended safely, and look again.")
    ] = False,
) -> None:
    """Check what must always hold, on a system at work, and name every row that breaks it.

    Unfinished runs are looked at in any case. Nothing is locked, and without --repair nothing is
    written. Exit code 1 if anything is broken.
    """
    connect()
    from runs_app.selectors.invariants.examining import Scope
    from skytrail.database.clock import database_now

    scope = Scope(since=None if everything else _moment(since, database_now()))
    found = _examine(scope)
    treated: list[Treated] = []
    if repair and found.breaches:
        from runs_app.actions.repairing import repair as mend
        from workers.broker import witness

        treated = mend(found.breaches, actor=actor(), announce=witness.leave)
        found = _examine(scope)
    if output is Format.JSON:
        show_record(_as_json(found, treated), output)
    elif output is Format.PLAIN:
        show_rows(_rows(found), _BROKEN_ROWS, output, empty="")
    else:
        _show(found, treated)
    raise typer.Exit(0 if found.is_clean else BROKEN)


def _moment(text: str, now: datetime) -> datetime:
    if ago := _AGO.fullmatch(text.strip()):
        try:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        except OverflowError:
            raise BadSince(text=repr(text)) from None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadSince(text=repr(text)) from None
    return moment if moment.tzinfo else moment.astimezone()


def _examine(scope: Scope) -> Examination:
    """Looks, and shows on a terminal how far it is."""
    from runs_app.selectors.invariants.examining import examine

    errors = Console(stderr=True)
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress:
        bar = progress.add_task("runs", total=None)
        return examine(
            scope, progress=lambda done, of: progress.update(bar, completed=done, total=of)
        )


def _show(found: Examination, treated: list[Treated]) -> None:
    console.print(f"{found.runs:,} runs with {found.task_runs:,} task runs were looked at.\n")
    show_rows(
        [
            {**row, "broken": row["broken"] or "–", "warnings": row["warnings"] or "–"}
            for row in _summary(found)
        ],
        ("invariant", "sentence", "broken", "warnings"),
        Format.TABLE,
        empty="",
    )
    if treated:
        console.print("\n[bold]What was done[/bold]\n")
        columns = ("invariant", "dag_id", "run_id", "task_id", "problem", "done", "for_a_person")
        show_rows(_treatment(treated), columns, Format.TABLE, empty="")
    console.print()
    if found.breaches:
        show_rows(_rows(found), _BROKEN_ROWS, Format.TABLE, empty="")
    elif not treated:
        console.print("[green]✓[/green] Everything holds.")
    else:
        console.print("[green]✓[/green] Everything holds now.")


def _summary(found: Examination) -> list[dict[str, Any]]:
    from runs_app.selectors.invariants.terms import INVARIANTS

    counts = Counter((one.invariant, one.found.is_warning) for one in found.breaches)
    return [
        {
            "invariant": invariant.name,
            "sentence": invariant.sentence,
            "broken": counts[invariant, False],
            "warnings": counts[invariant, True],
        }
        for invariant in INVARIANTS
    ]


def _rows(found: Examination) -> list[dict[str, Any]]:
    return [_row(breach) for breach in found.breaches]


def _row(breach: Any) -> dict[str, Any]:
    row = breach.found
    return {
        "invariant": breach.invariant.name,
        "is_warning": row.is_warning,
        "code": row.code,
        "dag_id": row.dag_id,
        "run_id": row.run_id,
        "task_id": row.task_id,
        "run_key": row.run_pk,
        "task_run_key": row.task_run_pk,
        "problem": row.problem,
    }


def _treatment(treated: list[Treated]) -> list[dict[str, Any]]:
    return [{**_row(one.breach), "done": one.done, "for_a_person": one.left} for one in treated]


def _as_json(found: Examination, treated: list[Treated]) -> dict[str, Any]:
    return {
        "runs": found.runs,
        "task_runs": found.task_runs,
        "is_clean": found.is_clean,
        "invariants": _summary(found),
        "breaches": _rows(found),
        "treated": _treatment(treated),
    }
