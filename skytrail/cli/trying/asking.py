"""Having whoever started a run answer where a task asks for an approval."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.prompt import Prompt

from dags_app.domain.commands import ApprovalCommand


def ask(console: Console, command: ApprovalCommand) -> str:
    """One of the approval's options."""
    console.print(f"\n[bold]{escape(command.subject)}[/bold]")
    if command.body:
        console.print(escape(command.body))
    return Prompt.ask(
        "Your answer",
        console=console,
        choices=command.options,
        default=command.default or command.options[0],
    )
