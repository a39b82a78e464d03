"""One message's way through a worker: claim, execute, finish, and see that the run goes on."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from celery.exceptions import Ignore, Reject
from django.conf import settings
from django.db import DataError, connection
from django.db import Error as DatabaseError
from psycopg.pq import TransactionStatus

from runs_app.dispatching import get_dispatcher
from runs_app.domain.claims import Refusal
from runs_app.domain.executions import Execution, Finished
from runs_app.domain.outcomes import Outcome
from skytrail.database.trouble import in_a_line, trouble_of
from skytrail.documents import storable
from workers import large_outputs
from workers.carrying_out import carry_out, outcome_of
from workers.database_services import FROM_THE_DATABASE
from workers.executors.celery_task import timed
from workers.gateway import DatabaseGateway, RunGateway
from workers.guards import interruption
from workers.guards.board import OVERTIME, Board
from workers.guards.companion import Companion, patience
from workers.guards.interruption import Interrupted, Reason
from workers.log import Log, Piece
from workers.shipping import Shipper

_logger = logging.getLogger(__name__)


def perform(*, task_run_id: UUID, epoch: int, worker: str) -> str:
    """Executes a task run, if this message is the one that may; says in a word what came of it.

    Raises Celery's `Ignore` where the canvas must not go on from here (see `Refusal.ELSEWHERE`),
    and its `Reject` where the database stays away: the message waits for it in its queue.
    """
    gateway = _gateway()
    try:
        execution = gateway.claim(task_run_id=task_run_id, epoch=epoch, worker=worker)
    except DatabaseError as error:
        if trouble_of(error) is None:
            raise
        raise Reject(in_a_line(error), requeue=True) from None
    if isinstance(execution, Refusal):
        if execution is Refusal.ELSEWHERE:
            raise Ignore
        return str(execution.value)
    execution = timed(execution)
    log = Log(settings.SKYTRAIL_LOG_LIMIT_BYTES)
    artifacts = FROM_THE_DATABASE.artifacts
    with this_place.taken(execution):
        try:
            with (
                _companion().watching(execution, log) as interruption,
                _shipper().shipping(execution, log),
            ):
                outcome = carry_out(
                    execution,
                    log=log,
                    interruption=interruption,
                    services=FROM_THE_DATABASE,
                    outputs=large_outputs.as_if_rows(
                        lambda ids: gateway.outputs(execution, ids), artifacts, interruption
                    ),
                    rendered=lambda fields: _keep_rendered(execution, fields, gateway),
                )
                came_of_it: Outcome | Reason = large_outputs.kept(
                    outcome, execution, artifacts, interruption
                )
        except Interrupted as interrupted:
            came_of_it = interrupted.reason
        this_place.work_is_over(execution)
        _tidy_up()
        return _Ending(execution, worker, gateway).write(came_of_it, log.close_and_take())


def _keep_rendered(execution: Execution, fields: Mapping[str, Any], gateway: RunGateway) -> None:
    # One that waits looks again and again, each time with the same fields.
    if not execution.waited_seconds:
        gateway.keep_rendered(execution, fields)


class _Ending:
    """Writes down how an execution ended, or why it was stopped; says in a word what came of it."""

    def __init__(self, execution: Execution, worker: str, gateway: RunGateway) -> None:
        self._execution = execution
        self._worker = worker
        self._gateway = gateway

    def write(self, came_of_it: Outcome | Reason, rest: Sequence[Piece]) -> str:
        """`rest` is what has not been kept of the log yet."""
        if isinstance(came_of_it, Outcome):
            return self._finish(came_of_it, rest)
        if came_of_it is Reason.LEASE_LOST:
            # Somebody else has it, or will: only the log is kept, under this execution's number.
            self._keep(rest)
            return "lease lost"
        if came_of_it in {Reason.SHUTDOWN, Reason.CUT_OFF}:
            self._keep(rest)
            return "handed back" if self._hand_back() else "lease lost"
        return self._finish(outcome_of(came_of_it, self._execution), rest)

    def _finish(self, outcome: Outcome, pieces: Sequence[Piece]) -> str:
        outcome = dataclasses.replace(outcome, message=storable(outcome.message))
        try:
            finished = self._send(outcome, pieces)
        except DataError as error:
            _logger.exception("the database does not take the end of %s", self._execution.task_id)
            unwritable = Outcome.failed(
                f"its end could not be kept: {error}", reason="unkeepable", may_retry=False
            )
            finished = self._send(unwritable, [])
        if finished is None:
            self._keep(pieces[-1:])
            return "lease lost"
        # Where the canvas alone does not lead on, the dispatcher is told directly.
        if finished.needs_dispatch:
            get_dispatcher().request_dispatch(finished.run_pk)
        return finished.state.value

    def _hand_back(self) -> bool:
        try:
            return self._gateway.hand_back(self._execution, worker=self._worker)
        except DatabaseError as error:
            if trouble_of(error) is None:
                raise
            _logger.warning(
                "could not hand %s back, recovery takes it over: %s",
                self._execution.task_id,
                in_a_line(error),
            )
            return False

    def _send(self, outcome: Outcome, pieces: Sequence[Piece]) -> Finished | None:
        return self._gateway.finish(
            self._execution, outcome, worker=self._worker, rest_of_log=pieces
        )

    def _keep(self, pieces: Sequence[Piece]) -> None:
        """Keeps the end of a log that is not written together with the execution's end."""
        try:
            for piece in pieces:
                self._gateway.append_log(self._execution, piece)
        except DatabaseError as error:
            _logger.warning("could not keep the end of a log: %s", error)


#: For the last words of a process that must not outlive its lease, in seconds.
_HURRIED = 2.0


def _on_stuck(execution: Execution, reason: Reason, rest: Sequence[Piece]) -> None:
    """The companion ends this process next: what follows from that is written down first."""
    if reason is not Reason.CUT_OFF:  # then nobody listens, and time is up
        hurried = DatabaseGateway(patience=_HURRIED, patience_with_an_end=_HURRIED)
        _Ending(execution, "companion", hurried).write(reason, rest)


def _tidy_up() -> None:
    """Leaves this process as the next execution expects it, whatever user code did."""
    interruption.install_again()
    server = connection.connection
    if server is None:
        return
    # A transaction that Django does not know of would swallow whatever is written next.
    is_idle = server.info.transaction_status == TransactionStatus.IDLE
    if connection.in_atomic_block or not connection.get_autocommit() or not is_idle:
        connection.in_atomic_block = False  # it would not be opened again within one
        connection.close()


class _Place:
    """This process's place on the worker's board; without a worker, none."""

    def __init__(self) -> None:
        self._board: Board | None = None
        self._number = 0

    def take(self, board: Board | None, number: int) -> None:
        """Says where this process is to write."""
        self._board, self._number = board, number

    def safe_until(self) -> float:
        """Until when what runs here may go on; see `workers.guards.fence`."""
        return math.inf if self._board is None else self._board.safe_until

    def work_is_over(self, execution: Execution) -> None:
        """It only has to be written down, which may take as long as it takes."""
        if self._board is not None:
            self._board.write(
                self._number, execution.task_run_id, execution.epoch, is_working=False
            )

    @contextlib.contextmanager
    def taken(self, execution: Execution) -> Iterator[None]:
        """Within, the board shows `execution` here."""
        if self._board is None:
            yield
            return
        limit = execution.timeout_seconds
        ends_by = math.inf if limit is None else time.monotonic() + limit + patience() + OVERTIME
        self._board.write(self._number, execution.task_run_id, execution.epoch, ends_by=ends_by)
        try:
            yield
        finally:
            self._board.clear(self._number)


this_place = _Place()


@cache
def _gateway() -> RunGateway:
    return DatabaseGateway()


@cache
def _companion() -> Companion:
    companion = Companion(on_stuck=_on_stuck, safe_until=this_place.safe_until)
    companion.start()
    return companion


@cache
def _shipper() -> Shipper:
    shipper = Shipper(_gateway())
    shipper.start()
    return shipper
