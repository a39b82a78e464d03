"""Options that say which tasks run again."""

from __future__ import annotations

from typing import Annotated

import typer

TaskOption = Annotated[
    list[str] | None,
    typer.Option(
        "--task", "-t", help="This task, or load[3] for one of a mapped task; may be repeated."
    ),
]
UpstreamOption = Annotated[
    bool, typer.Option("--upstream", "-u", help="Also what comes before the tasks.")
]
DownstreamOption = Annotated[
    bool,
    typer.Option("--downstream/--no-downstream", "-d", help="Also what comes after the tasks."),
]
OnlyFailedOption = Annotated[
    bool,
    typer.Option("--only-failed", "-f", help="Of these what failed, or was cancelled."),
]
