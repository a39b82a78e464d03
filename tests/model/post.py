"""The post between dispatcher and workers, in the machine's hands.

Canvases go on as in `tests/conveyor.py`; what a message does when it arrives the machine says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol
from uuid import UUID

from runs_app.dispatching import Ticket
from tests.conveyor import Conveyor


class Recipient(Protocol):
    """Who opens the post."""

    def receive_ticket(self, ticket: Ticket, then: Callable[[], None]) -> None: ...

    def receive_dispatch(self, run_pk: UUID, towards: Sequence[int] | None) -> None: ...


class Post(Conveyor):
    """Messages wait here until the machine delivers, repeats or loses one."""

    def __init__(self, recipient: Recipient) -> None:
        super().__init__()
        self.recipient = recipient

    def queue_depth(self, queue: str) -> int | None:
        return sum(message.about != "" for message in self.messages)

    def deliver(self, place: int, *, keep: bool = False) -> None:
        """The message at `place` arrives; with `keep` it will arrive once more."""
        message = self.messages[place]
        if not keep:
            self.messages.pop(place)
        message.deliver()

    def _perform(self, ticket: Ticket, then: Callable[[], None]) -> None:
        self.recipient.receive_ticket(ticket, then)

    def _dispatch(self, run_pk: UUID, towards: tuple[int, ...] | None) -> None:
        self.recipient.receive_dispatch(run_pk, towards)
