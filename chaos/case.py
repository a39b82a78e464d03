"""What a case is, and what it is measured by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chaos.stage import Stage
    from chaos.verdict import Findings
    from chaos.work import Shapes


@dataclass(frozen=True)
class Options:
    """What the suite was asked for. `lease` in seconds; `short` for the form that CI runs."""

    seed: int
    lease: int
    short: bool

    def times(self, full: int, short: int) -> int:
        """How often a fault is injected."""
        return short if self.short else full


@dataclass(frozen=True)
class Goal:
    """Something that has to hold: what, what was found, and what was allowed."""

    what: str
    found: str
    allowed: str
    met: bool


def at_most(what: str, found: float | None, allowed: float, *, unit: str = " s") -> Goal:
    """The goal that a figure stays within a limit; None is a figure that there is not."""
    shown = "–" if found is None else f"{found:.4g}{unit}"
    return Goal(what, shown, f"≤ {allowed:g}{unit}", found is None or found <= allowed)


#: Seconds within which a message that is gone is sent again: it may be under way for 15 s, and two
#: sweeps of 5 s have to agree.
MESSAGE_GONE = 30.0
#: Seconds within which a run goes on whose dispatch is gone: each is planned again after 30 s.
DISPATCH_GONE = 40.0


def exactly(what: str, found: object, wanted: object) -> Goal:
    """The goal that something is what it should be."""
    return Goal(what, str(found), str(wanted), found == wanted)


def mixed(shapes: Shapes) -> list[dict[str, Any]]:
    """The usual load: one of each shape."""
    return shapes.mixed()


def nothing_else(_stage: Stage, _label: str) -> Mapping[str, str]:
    """No variables beyond those that all processes get."""
    return {}


def nothing_more(_findings: Findings, _stage: Stage) -> Iterable[Goal]:
    """No goals beyond the usual ones."""
    return ()


@dataclass(frozen=True, kw_only=True)
class Case:
    """One experiment. See `chaos/cases/__init__.py`."""

    id: str
    title: str
    #: Injects the faults, in the main thread, while the load runs. When it returns, the load stops.
    inject: Callable[[Stage], None]
    #: What it is measured by beyond the usual: nothing lost, no duplicates, no false alarms.
    goals: Callable[[Findings, Stage], Iterable[Goal]] = nothing_more
    #: The DAGs of the load.
    dags: Callable[[Shapes], list[dict[str, Any]]] = mixed
    #: What is started before.
    workers: int = 3
    processes: int = 4
    dispatchers: int = 2
    beats: int = 1
    #: More environment variables for all processes.
    environment: Mapping[str, str] = field(default_factory=dict)
    #: And more for the one of this label: asked for at each of its starts.
    environment_of: Callable[[Stage, str], Mapping[str, str]] = nothing_else
    #: Whether it has to lose something: the control.
    must_lose: bool = False
    #: Whether people interfere with runs: then not every run ends in success.
    interferes: bool = False
    #: How long everything may take to end after the last fault, in leases and in seconds.
    patience_leases: float = 6.0
    patience: float = 120.0
    #: Whether it belongs to the short form.
    in_short: bool = True
