"""The state store of a run that is only tried: in memory, and forgotten with it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime

from runs_app.domain.executions import Execution
from runs_app.domain.state import Entry, Place, Scope, Write

_Key = tuple[str, str, str]


class MemoryStates:
    """A table of entries; what time it is, `now` says."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._entries: dict[_Key, Entry] = {}
        self._versions = itertools.count(1)

    def get(self, execution: Execution, place: Place, key: str) -> Entry | None:
        found = self._entries.get(_key(execution, place, key))
        is_over = found and found.expires_at and found.expires_at <= self._now()
        return None if is_over else found

    def write(self, execution: Execution, place: Place, key: str, write: Write) -> int | None:
        there = self.get(execution, place, key)
        if write.expected is not None and write.expected != (there.version if there else 0):
            return None
        version = next(self._versions)
        self._entries[_key(execution, place, key)] = Entry(
            value=write.value,
            version=version,
            is_secret=write.secret,
            expires_at=self._now() + write.ttl if write.ttl else None,
        )
        return version

    def delete(self, execution: Execution, place: Place, key: str, *, expected: int | None) -> bool:
        there = self.get(execution, place, key)
        if there is None or expected not in (None, there.version):
            return False
        del self._entries[_key(execution, place, key)]
        return True


def _key(execution: Execution, place: Place, key: str) -> _Key:
    match place.scope:
        case Scope.ASSET:
            return "asset", place.asset, key
        case Scope.DAG:
            return "dag", execution.dag_id, key
        case Scope.TASK:
            return "task", f"{execution.dag_id}:{execution.task_id}", key
