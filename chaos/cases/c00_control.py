"""The control: the load and the faults of C1 with recovery switched off. It has to lose tasks.

If it did not, C1 would prove nothing.
"""

from __future__ import annotations

from chaos.case import Case
from chaos.cases import c01_killed_workers
from chaos.points import RECOVERY
from chaos.stage import Stage


def inject(stage: Stage) -> None:
    """As in C1, until something has to be lost."""
    c01_killed_workers.kill_workers(stage, stage.options.times(2, 1))


CASE = Case(
    id="C0",
    title="Control: recovery is off",
    inject=inject,
    environment={RECOVERY: "off"},
    must_lose=True,
    patience=15,
    patience_leases=1,
)
