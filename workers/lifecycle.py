"""What happens when a worker and its pool processes start and stop.

Celery's parent process forks the pool processes that execute; here each gets what it needs: the
parent a warden, a directory of sockets and a keeper, the pool processes an ear for interruptions.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID

from billiard.exceptions import WorkerLostError
from celery import signals
from celery.worker.control import control_command
from celery.worker.state import requests as _requests  # noqa: F401  # registers Celery's own commands

from workers import interruption, names, warden
from workers.companion import SOCKETS
from workers.lease import Identity, Keeper


class _Worker:
    """What this worker's parent process holds."""

    directory: Path | None = None
    warden: subprocess.Popen[bytes] | None = None
    keeper: Keeper | None = None


@signals.worker_init.connect
def _before_forking(**_: Any) -> None:
    directory = Path(tempfile.mkdtemp(prefix="skytrail-worker-"))
    _Worker.directory = directory
    os.environ[SOCKETS] = str(directory)
    _Worker.warden = warden.start(directory / "warden.sock")


@signals.worker_ready.connect
def _ready(sender: Any, **_: Any) -> None:
    assert _Worker.directory is not None
    consumer = sender
    _Worker.keeper = Keeper(
        identity=Identity(
            name=consumer.hostname,
            queues=tuple(sorted(consumer.app.amqp.queues.consume_from)),
            concurrency=consumer.pool.num_processes,
        ),
        sockets=_Worker.directory,
    )
    _Worker.keeper.start()


@signals.worker_process_init.connect
def _in_pool_process(**_: Any) -> None:
    interruption.install()


@signals.task_failure.connect
def _pool_process_died(
    sender: Any, exception: BaseException, args: Any, **_: Any
) -> None:
    """Sent in the parent when a pool process is gone; within one, never for our tasks."""
    if sender.name == names.RUN and isinstance(exception, WorkerLostError) and _Worker.keeper:
        task_run_id, epoch = args
        _Worker.keeper.process_died(UUID(task_run_id), int(epoch))


@control_command(name=names.RENEW_LEASES)  # type: ignore[untyped-decorator]  # Celery has no types
def _renew_leases(_state: Any) -> dict[str, str]:
    if _Worker.keeper is not None:
        _Worker.keeper.renew_now()
    return {"ok": "renewing"}


@signals.worker_shutting_down.connect
def _shutting_down(**_: Any) -> None:
    if _Worker.keeper is not None:
        _Worker.keeper.shutting_down()


@signals.worker_shutdown.connect
def _stopped(**_: Any) -> None:
    if _Worker.keeper is not None:
        _Worker.keeper.stop()
    if _Worker.warden is not None and _Worker.warden.stdin is not None:
        _Worker.warden.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            _Worker.warden.wait(timeout=2)
    if _Worker.directory is not None:
        shutil.rmtree(_Worker.directory, ignore_errors=True)
