"""Showing things: a table for people, JSON for programs, plain text for pipes."""

from __future__ import annotations

import enum
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

# Into a pipe nothing is folded: whoever reads there can do that better.
console = Console(highlight=False, width=None if sys.stdout.isatty() else 250)


class Format(enum.StrEnum):
    """How to show a result."""

    TABLE = "table"
    JSON = "json"
    PLAIN = "plain"


OutputOption = Annotated[
    Format,
    typer.Option("--output", "-o", help="A table, JSON, or plain text with tabs between."),
]

#: A colour and a sign for each state: the sign tells it where colours do not.
STATES = {
    "success": ("green", "✓"),
    "failed": ("red", "✗"),
    "running": ("cyan", "▶"),
    "queued": ("yellow", "…"),
    "waiting": ("bright_black", "○"),
    "up_for_retry": ("yellow", "↻"),
    "up_for_reschedule": ("yellow", "↻"),
    "deferred": ("magenta", "◌"),
    "cancelling": ("magenta", "■"),
    "restarting": ("magenta", "↺"),
    "skipped": ("bright_black", "↷"),
    "upstream_failed": ("dark_orange", "⊘"),
    "cancelled": ("magenta", "■"),
    "removed": ("bright_black", "–"),
    "completed": ("green", "✓"),
    "paused": ("yellow", "‖"),
}


def state_text(state: str) -> str:
    """A state as the table shows it."""
    colour, sign = STATES.get(state, ("white", "?"))
    return f"[{colour}]{sign} {state}[/{colour}]"


def show_rows(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[str], output: Format, *, empty: str
) -> None:
    """A list; in tables and plain text only `columns` of it. `empty` says what to do about none."""
    listed = [dict(row) for row in rows]
    if output is Format.JSON:
        typer.echo(json.dumps(listed, indent=2, default=str))
    elif output is Format.PLAIN:
        for row in listed:
            typer.echo("\t".join(_plain(row.get(column)) for column in columns))
    elif not listed:
        console.print(f"[bright_black]{escape(empty)}[/bright_black]")
    else:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            # An id is there to be copied.
            table.add_column(column.replace("_", " "), overflow="fold", no_wrap=column == "id")
        for row in listed:
            table.add_row(*(_cell(column, row.get(column)) for column in columns))
        console.print(table)


def show_record(record: Mapping[str, Any], output: Format) -> None:
    """One thing with its fields."""
    if output is Format.JSON:
        typer.echo(json.dumps(record, indent=2, default=str))
        return
    if output is Format.PLAIN:
        for name, value in record.items():
            typer.echo(f"{name}\t{_plain(value)}")
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bright_black")
    table.add_column(overflow="fold")
    for name, value in record.items():
        table.add_row(name.replace("_", " "), _cell(name, value))
    console.print(table)


def _plain(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, default=str)
    return "" if value is None else str(value).replace("\t", " ").replace("\n", " ")


def _cell(name: str, value: Any) -> str:
    if name == "state" and isinstance(value, str):
        return state_text(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return escape(", ".join(_plain(item) for item in value))
    if name.endswith("_at") or name in {"logical_date", "effective_from"}:
        return escape(_moment(value))
    return escape(_plain(value))


def _moment(value: Any) -> str:
    """A time in the reader's own zone; today's without the date."""
    if isinstance(value, str) and value:
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        return ""
    local = value.astimezone()
    today = datetime.now().astimezone().date()
    return f"{local:%H:%M:%S}" if local.date() == today else f"{local:%Y-%m-%d %H:%M:%S}"
