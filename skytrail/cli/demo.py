"""`skytrail demo`: the whole of Skytrail for a minute, on real input."""

from __future__ import annotations

import typer


def demo() -> None:
    """Start everything in a temporary folder, run the main example, show what it did, and stop."""
    raise typer.Exit(0)
