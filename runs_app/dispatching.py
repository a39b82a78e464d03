"""The port to whatever carries work to workers.

Runs do not know Celery. They hand blocks to a `Dispatcher` that the setting `SKYTRAIL_DISPATCHER`
names by dotted path, as Django names an e-mail backend. Publishing never fails for its caller:
the rows say what is queued, and recovery publishes again what did not get through.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from runs_app.domain.blocks import Block
from runs_app.domain.graph import Step


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a message needs to know of one step. `label` is the name that people see in Flower."""

    task_run_id: UUID
    epoch: int
    queue: str
    priority: int
    label: str


@dataclass(frozen=True, slots=True)
class Consignment:
    """Blocks of one run that are ready to go, with a ticket for each step in them."""

    run_pk: UUID
    blocks: Sequence[Block]
    tickets: Mapping[Step, Ticket]


class Dispatcher(Protocol):
    """Carries work to workers. None of its methods raises for a broker that is away."""

    def publish(self, consignments: Iterable[Consignment]) -> None:
        """Sends each block; what could not be sent is noted as unpublished."""

    def request_dispatch(self, run_pk: UUID, towards: Sequence[int] | None = None) -> None:
        """Asks a dispatcher to plan the run: `towards` some positions, or the whole graph."""

    def call_in(self, workers: Iterable[str]) -> None:
        """Asks workers to renew their leases now, and so to hear what they are to stop."""

    def queue_depth(self, queue: str) -> int | None:
        """How many messages wait in `queue`; None where that cannot be told now."""


@cache
def get_dispatcher() -> Dispatcher:
    """The dispatcher that the settings name."""
    dispatcher: Dispatcher = import_string(settings.SKYTRAIL_DISPATCHER)()
    return dispatcher


def publish_after_commit(consignments: Sequence[Consignment]) -> None:
    """Publishes once the rows are durable; before that a worker would find nothing to claim."""
    if consignments:
        transaction.on_commit(partial(get_dispatcher().publish, consignments), robust=True)


def request_dispatch_after_commit(run_pk: UUID, towards: Sequence[int] | None = None) -> None:
    """Asks for a dispatch once the rows are durable."""
    transaction.on_commit(partial(get_dispatcher().request_dispatch, run_pk, towards), robust=True)


def call_in_after_commit(workers: Iterable[str]) -> None:
    """Calls workers in once it is durable what they are to stop."""
    if names := sorted(set(workers) - {""}):
        transaction.on_commit(partial(get_dispatcher().call_in, names), robust=True)
