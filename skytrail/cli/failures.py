"""What the command line makes of an error: words on stderr, and an exit code."""

from __future__ import annotations

import json
import sys

from rich.console import Console
from rich.markup import escape

from skytrail import errors
from skytrail.errors import SkytrailError

#: A run that was waited for did not succeed.
RUN_FAILED = 1

_EXIT_CODES: tuple[tuple[type[SkytrailError], int], ...] = (
    (errors.Invalid, 3),
    (errors.NotFound, 4),
    (errors.Conflict, 5),
    (errors.Unavailable, 6),
)


def report(error: SkytrailError) -> int:
    """Says what went wrong, as JSON where JSON was asked for; the exit code."""
    if "json" in sys.argv:
        problems = [
            {"path": problem.path, "code": problem.code, "message": problem.message}
            for problem in error.problems
        ]
        shape = {"code": error.code, "message": error.message, "problems": problems}
        print(json.dumps({"error": shape}, indent=2), file=sys.stderr)  # noqa: T201  # the output
    else:
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        console.print(f"[red]✗[/red] {escape(error.message)}")
        for problem in error.problems:
            where = f"[bold]{escape(problem.path)}[/bold]: " if problem.path else ""
            console.print(f"  • {where}{escape(problem.message)}")
    return next((code for kind, code in _EXIT_CODES if isinstance(error, kind)), 1)
