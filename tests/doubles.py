"""Stand-ins for the broker and the workers, in tests whose subject they are not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from runs_app.dispatching import Consignment
from skytrail.security.secrets.testing import NobodyTested, Tested


@dataclass
class RecordingDispatcher:
    """Keeps what would have been sent. See `runs_app.dispatching.Dispatcher`."""

    consignments: list[Consignment] = field(default_factory=list)
    requested: list[tuple[UUID, tuple[int, ...] | None]] = field(default_factory=list)
    called_in: list[str] = field(default_factory=list)
    depths: dict[str, int] = field(default_factory=dict)

    def publish(self, consignments: Iterable[Consignment]) -> None:
        self.consignments += consignments

    def request_dispatch(self, run_pk: UUID, towards: Sequence[int] | None = None) -> None:
        self.requested.append((run_pk, None if towards is None else tuple(towards)))

    def call_in(self, workers: Iterable[str]) -> None:
        self.called_in += workers

    def queue_depth(self, queue: str) -> int | None:
        return self.depths.get(queue, 0)

    def forget(self) -> None:
        """Everything sent so far is as good as lost."""
        self.consignments.clear()
        self.requested.clear()
        self.called_in.clear()


def make() -> RecordingDispatcher:
    """What SKYTRAIL_DISPATCHER names while tests run."""
    return RecordingDispatcher()


class WorkerOfDefault:
    """One worker, of the queue `default`. See `skytrail.security.secrets.testing.Tester`."""

    def try_here(self, conn_id: str) -> Tested:
        return Tested(status="ok", message=f"{conn_id} answered", where="here")

    def try_in_worker(self, conn_id: str, *, queue: str) -> Tested:
        if queue != "default":
            raise NobodyTested(queue=queue, seconds="1")
        return Tested(status="ok", message=f"{conn_id} answered", where="worker@default")
