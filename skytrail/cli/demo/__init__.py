"""`skytrail demo`: the whole of Skytrail for half a minute, on real input."""

from __future__ import annotations

from typing import Annotated

import typer


def demo(
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="The web's port; 0 for any that is free.")
    ] = 0,
    *,
    keep: Annotated[
        bool,
        typer.Option(
            "--keep",
            help="Leave everything running for a look, until Ctrl-C, with a month of history that "
            "is made up.",
        ),
    ] = False,
) -> None:
    """Start everything in a temporary folder, run the main example, show what it did, and stop.

    The same start as `skytrail up`. Nothing is left behind, and no other installation is touched.
    """
    from skytrail.cli.demo.play import play

    raise typer.Exit(play(port=port, keep=keep))
