"""Carries consignments as Celery would, in this process, over the real rows.

Messages wait in a heap of their own; which comes next, whether one is lost or comes twice, is up to
the test. Tasks end as the test says, through the same claim and finish as in a worker. What Celery
does with a canvas (the next step of a chain, the part of a chord) is done here by the same rules.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from runs_app.actions import attempts
from runs_app.actions.dispatching_steps import dispatch
from runs_app.dispatching import Consignment, Ticket
from runs_app.domain.blocks import Block, Fork, Stretch
from runs_app.domain.claims import Refusal
from runs_app.domain.executions import Execution
from runs_app.domain.graph import Step
from runs_app.domain.outcomes import Outcome

WORKER = "conveyor"

#: What a task does: given its execution, its outcome.
Script = Callable[[Execution], Outcome]


def succeed(_: Execution) -> Outcome:
    """Every task goes well."""
    return Outcome.success()


def ends(**outcomes: Outcome) -> Script:
    """Tasks end as named; all others go well."""
    return lambda execution: outcomes.get(execution.task_id, Outcome.success())


def failing(message: str = "it broke") -> Outcome:
    """The outcome of a task whose code fails."""
    return Outcome.failed(message, reason="exception")


@dataclass
class _Part:
    """Something that waits for several messages to end: a chord."""

    missing: int
    then: Callable[[], None]

    def ended(self) -> None:
        self.missing -= 1
        if self.missing == 0:
            self.then()


@dataclass(frozen=True)
class Message:
    """Something to be delivered; `about` is the task it is for, empty for a dispatch."""

    about: str
    deliver: Callable[[], None]


@dataclass
class Conveyor:
    """A dispatcher whose messages stay here until `run` delivers them."""

    script: Script = succeed
    choose: random.Random = field(default_factory=lambda: random.Random(0))
    shuffled: bool = False
    messages: list[Message] = field(default_factory=list)
    #: Tasks whose messages are not delivered for now.
    held: set[str] = field(default_factory=set)
    #: Whether each message is lost when it is sent for the first time.
    loses_each_once: bool = False
    #: Whether only first steps are sent, and nothing that would lead on from them: no fast path.
    only_first_steps: bool = False
    lost: set[object] = field(default_factory=set)
    started: list[tuple[str, int]] = field(default_factory=list)
    delivered: int = 0

    # ----------------------------------------------------------- the port

    def publish(self, consignments: Iterable[Consignment]) -> None:
        for consignment in consignments:
            for block in consignment.blocks:
                self._send_block(consignment, block)

    def request_dispatch(self, run_pk: UUID, towards: Sequence[int] | None = None) -> None:
        positions = None if towards is None else tuple(towards)
        message = Message("", lambda: self._dispatch(run_pk, positions))
        self._post(message, (run_pk, positions))

    def call_in(self, workers: Iterable[str]) -> None:
        """Nothing runs beside the test, so there is nobody to call."""

    def queue_depth(self, queue: str) -> int | None:
        return len(self.messages)

    # ----------------------------------------------------------- driving

    def run(self, *, limit: int = 10_000) -> None:
        """Delivers messages until there are none but held ones."""
        while self._free():
            assert self.delivered < limit, "messages without end"
            self.deliver_one()

    def deliver_one(self) -> None:
        """Delivers the next message, or any one where they are shuffled."""
        free = self._free()
        message = self.choose.choice(free) if self.shuffled else free[0]
        self.delivered += 1
        self.messages.remove(message)
        message.deliver()

    def _free(self) -> list[Message]:
        return [message for message in self.messages if message.about not in self.held]

    def lose_all(self) -> int:
        """As after FLUSHALL; how many messages that were."""
        lost = len(self.messages)
        self.messages.clear()
        return lost

    def _post(self, message: Message, key: object) -> None:
        """Sends a message; those with the same key say the same."""
        if self.loses_each_once and key not in self.lost:
            self.lost.add(key)
        else:
            self.messages.append(message)

    # ----------------------------------------------------------- canvases

    def _send_block(self, consignment: Consignment, block: Block) -> None:
        if self.only_first_steps:
            for stretch in block.stretches:
                self._send(stretch[:1], consignment.tickets, lambda: None)
            return

        def end() -> None:
            self.request_dispatch(consignment.run_pk, block.towards)

        chord = _Part(len(block.stretches), end)
        for stretch in block.stretches:
            self._send(stretch, consignment.tickets, chord.ended)

    def _send(
        self, stretch: Stretch, tickets: Mapping[Step, Ticket], then: Callable[[], None]
    ) -> None:
        if not stretch:
            then()
            return
        step, rest = stretch[0], stretch[1:]

        def go_on() -> None:
            self._send(rest, tickets, then)

        if isinstance(step, Fork):
            part = _Part(len(step.branches), go_on)
            for branch in step.branches:
                self._send(branch, tickets, part.ended)
        else:
            ticket = tickets[step]
            about = ticket.label.partition(".")[2]
            message = Message(about, lambda: self._perform(ticket, go_on))
            self._post(message, (ticket.task_run_id, ticket.epoch))

    def _perform(self, ticket: Ticket, then: Callable[[], None]) -> None:
        execution = attempts.claim(
            task_run_id=ticket.task_run_id, epoch=ticket.epoch, worker=WORKER
        )
        if execution is Refusal.ELSEWHERE:
            return  # Celery's Ignore: the canvas does not go on from here
        if isinstance(execution, Execution):
            self.started.append((execution.task_id, execution.epoch))
            finished = attempts.finish(execution, self.script(execution), worker=WORKER)
            if finished is not None and finished.needs_dispatch:
                self.request_dispatch(finished.run_pk)
        then()

    def _dispatch(self, run_pk: UUID, towards: tuple[int, ...] | None) -> None:
        dispatch(run_pk, towards, actor="dispatcher")
