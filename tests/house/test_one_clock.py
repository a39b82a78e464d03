"""What becomes of runs and tasks is decided by one clock, the database's: workers' may be wrong."""

from __future__ import annotations

import ast

import pytest

from tests.house.source import modules

#: Who asks this machine what time it is. Monotonic clocks measure patience and are anybody's.
_ASKS = {"now", "utcnow", "today", "time", "time_ns"}
_OF = {"datetime", "timezone", "date", "time"}

#: Where the answer is shown to people or to Flower, and nothing is decided by it.
ONLY_SHOWN = {
    "runs_app/admin/shown.py",
    "workers/broker/announcing.py",
    "workers/riding.py",
}


def _asks_this_machine(tree: ast.Module) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _ASKS
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in _OF
    ]


@pytest.mark.parametrize("folder", ["runs_app", "dags_app", "workers"])
def test_nobody_asks_this_machine_what_time_it_is(folder: str) -> None:
    asked = {path: lines for path, tree in modules(folder) if (lines := _asks_this_machine(tree))}
    assert asked.keys() <= ONLY_SHOWN, asked


def test_the_search_finds_what_it_is_for() -> None:
    assert _asks_this_machine(
        ast.parse("x = timezone.now()\ny = time.time()\nz = time.monotonic()")
    )
