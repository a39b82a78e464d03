"""What happens when a worker and its pool processes start and stop.

Celery's parent process forks the pool processes that execute; here each gets what it needs: the
parent a warden, a directory of sockets and a keeper, the pool processes an ear for interruptions.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from billiard import current_process
from celery import signals
from celery.worker.control import control_command

from workers import execution, log, names
from workers.guards import canary, interruption, leaving, warden
from workers.guards.board import Board
from workers.guards.fence import Fence
from workers.guards.lease import Identity, Keeper
from workers.guards.restarting import Restart


class _Worker:
    """What this worker's parent process holds."""

    directory: Path | None = None
    board: Board | None = None
    warden: warden.Warden | None = None
    keeper: Keeper | None = None
    canary: canary.Canary | None = None
    restart = Restart()
    fence: Fence | None = None


#: The path of a Unix socket has at most 107 bytes; this much of it is ours.
_LONGEST_PLACE = 107 - len("/skytrail-worker-12345678/1234567890.sock")


def make_directory() -> Path:
    """The worker's own directory, where its sockets have room for their names."""
    place = tempfile.gettempdir()
    if len(os.fsencode(place)) > _LONGEST_PLACE:
        place = "/tmp"  # noqa: S108  # mkdtemp's names cannot be guessed
    return Path(tempfile.mkdtemp(prefix="skytrail-worker-", dir=place))


@signals.worker_init.connect
def _before_forking(sender: Any, **_: Any) -> None:
    sender.app.steps["consumer"].update((leaving.Doorbell, canary.Perch))
    directory = make_directory()
    _Worker.directory = directory
    os.environ[names.WORKER_DIRECTORY] = str(directory)
    _Worker.board = Board()
    _Worker.warden = warden.Warden(directory)


@signals.worker_ready.connect
def _ready(sender: Any, **_: Any) -> None:
    assert _Worker.directory is not None
    assert _Worker.board is not None
    consumer = sender
    _Worker.fence = Fence(_Worker.board)
    _Worker.fence.start()
    _Worker.keeper = Keeper(
        identity=Identity(
            name=consumer.hostname,
            queues=tuple(sorted(consumer.app.amqp.queues.consume_from)),
            concurrency=consumer.pool.num_processes,
        ),
        board=_Worker.board,
        sockets=_Worker.directory,
        fence=_Worker.fence,
    )
    _Worker.keeper.start()
    _Worker.canary = canary.Canary(consumer, _Worker.restart)
    _Worker.canary.start()


@signals.worker_process_init.connect
def _in_pool_process(**_: Any) -> None:
    warden.join()
    interruption.install()
    log.install()
    process: Any = current_process()
    execution.this_place.take(_Worker.board, process.index)


@signals.worker_before_create_process.connect
def _before_another(**_: Any) -> None:
    """A pool process is made: at the start, or because one has died."""
    if _Worker.keeper is not None:
        _Worker.keeper.collect_dead()


@signals.worker_process_shutdown.connect
def _pool_process_ends(exitcode: int, **_: Any) -> None:
    leaving.end_when_done(exitcode)


@control_command(name=names.RENEW_LEASES)
def _renew_leases(_state: Any) -> dict[str, str]:
    if _Worker.keeper is not None:
        _Worker.keeper.renew_now()
    return {"ok": "renewing"}


@signals.worker_shutting_down.connect
def _shutting_down(**_: Any) -> None:
    _Worker.restart.told_to_stop()
    if _Worker.canary is not None:
        _Worker.canary.stop()
    if _Worker.keeper is not None:
        _Worker.keeper.shutting_down()
    leaving.Doorbell.ring()


@signals.worker_shutdown.connect
def _stopped(**_: Any) -> None:
    if _Worker.keeper is not None:
        _Worker.keeper.stop()
    if _Worker.fence is not None:
        _Worker.fence.stop()
    if _Worker.warden is not None:
        _Worker.warden.close()
    if _Worker.directory is not None:
        shutil.rmtree(_Worker.directory, ignore_errors=True)
    _Worker.restart.return_if_wanted()
    leaving.spare_the_last_collection()
