"""What the code of a task may ask of Skytrail while it runs: the other side of `skytrail.sdk`.

Whoever executes code (a worker, or the local runner of `skytrail dags test`) says so with
`running`; the functions of the SDK find the execution under way with `current`. A process executes
one thing at a time, and threads that its code starts are to find it as well: so this is a plain
variable and no `ContextVar`, which threads do not inherit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Runtime:
    """The execution under way, as its code sees it."""

    #: Makes what `context` holds, the first time that somebody asks.
    make_context: Callable[[], Mapping[str, Any]]

    @cached_property
    def context(self) -> Mapping[str, Any]:
        """The names that templates know too: `params`, `ds`, `run_id`, …"""
        return self.make_context()


class NoTaskRuns(RuntimeError):
    """Raised where code asks for the execution under way and there is none."""


class _Here:
    """What this process executes."""

    now: Runtime | None = None


def current() -> Runtime:
    """The execution under way. Raises `NoTaskRuns` outside of one."""
    if _Here.now is None:
        raise NoTaskRuns(
            "no task runs here: this works in the code of a task while a worker executes it, or "
            "`skytrail tasks test` does"
        )
    return _Here.now


@contextmanager
def running(runtime: Runtime) -> Iterator[None]:
    """Within, `current` is `runtime`."""
    before, _Here.now = _Here.now, runtime
    try:
        yield
    finally:
        _Here.now = before
