"""What has gone wrong in workers, on request: a module for workers of tests to import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from celery.worker import state as of_worker
from celery.worker.control import control_command

_phantoms: list[Any] = []


@dataclass(eq=False)
class _Phantom:
    """A task that Celery believes to be at work, and that never ends."""

    id: str
    acknowledged: bool = True


@control_command(name="stop_listening")
def stop_listening(state: Any) -> dict[str, str]:
    """It stays connected, and consumes from nothing, until it connects anew."""
    state.consumer.task_consumer.cancel()
    return {"ok": "deaf"}


@control_command(name="lose_count")
def lose_count(state: Any) -> dict[str, str]:
    """It takes its slots for taken, also after it has connected anew."""
    for number in range(state.consumer.pool.num_processes):
        phantom: Any = _Phantom(f"phantom {number}")
        _phantoms.append(phantom)
        of_worker.active_requests.add(phantom)
        of_worker.reserved_requests.add(phantom)
    return {"ok": "full, it believes"}
