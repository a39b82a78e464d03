"""Trying a DAG: everything that a local run needs, put together."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dags_app.domain.commands import ApprovalCommand
from dags_app.domain.spec import DagSpec
from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Outcome
from workers.executors.registry import EXECUTORS
from workers.guards.interruption import Reason
from workers.local.clock import Clock
from workers.local.facts import RunFacts
from workers.local.hands import at_work
from workers.local.ledger import Ledger, LocalTask
from workers.local.runner import LocalRun, Observer
from workers.local.services import GivenSecrets, services
from workers.local.stand_ins import stand_ins
from workers.log import Piece


def nobody(_: ApprovalCommand) -> str | None:
    """There is nobody to be asked."""
    return None


def approving(command: ApprovalCommand) -> str | None:
    """The first of the options that approve."""
    return next(option for option in command.options if option in command.approving)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """How a DAG is tried."""

    #: No wait takes longer, in seconds; what is left out of one counts as passed.
    longest_wait: float = 0.0
    #: The outcomes of tasks that are not to be executed.
    given: Callable[[LocalTask], Outcome | None] = lambda _: None
    #: What tasks are taken to have left, by id, without being executed.
    outputs: Mapping[str, Any] = field(default_factory=dict)
    #: Who answers where a task asks for an approval.
    ask: Callable[[ApprovalCommand], str | None] = nobody
    #: Connections and variables that are given to the run itself.
    secrets: GivenSecrets = field(default_factory=GivenSecrets)
    #: Told when a task will not stop, just before this process is killed for it.
    on_stuck: Callable[[Execution, Reason, Sequence[Piece]], None] = field(
        default=lambda _execution, _reason, _rest: None
    )


@contextlib.contextmanager
def prepared(
    spec: DagSpec, facts: RunFacts, trial: Trial, *, observer: Observer
) -> Iterator[LocalRun]:
    """A run of `spec` that is ready to begin."""
    clock = Clock(longest_wait=trial.longest_wait)

    def now() -> datetime:
        """By the run's clock: waits that were cut short have passed."""
        return facts.began_at + timedelta(seconds=clock.now())

    with (
        contextlib.closing(clock),
        at_work(
            services(now, trial.secrets),
            executors={**EXECUTORS, **stand_ins(trial.ask)},
            on_stuck=trial.on_stuck,
        ) as hands,
    ):
        ledger = Ledger(spec, facts, outputs=trial.outputs)
        yield LocalRun(ledger, hands=hands, clock=clock, observer=observer, given=trial.given)
