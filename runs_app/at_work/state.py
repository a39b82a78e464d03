"""`from skytrail.sdk import state`: what a task keeps for later runs: cursors, tokens.

    since = state.task.get("cursor", default="1970-01-01")
    ...
    state.task.set("cursor", newest)

A write of an execution that was overtaken is refused, so a task that comes back from the dead does
not turn a cursor back.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from runs_app.at_work.here import here
from runs_app.domain.state import (
    Entry,
    Place,
    Scope,
    Write,
    asset_place,
    check_key,
    lifetime,
    storable,
)


class StateOf:
    """The keys of a task, a DAG or an asset. Values are JSON, at most 64 KiB each."""

    def __init__(self, place: Place, name: str) -> None:
        self._place = place
        self._name = name

    def get(self, key: str, default: Any = None) -> Any:
        """The value; `default` where there is none, or its time is up."""
        found = self.entry(key)
        return default if found is None else found.value

    def entry(self, key: str) -> Entry | None:
        """The value with its version, and when it will be forgotten."""
        work = here(self._name)
        return work.states.get(work.execution, self._place, check_key(key))

    def set(
        self, key: str, value: Any, *, ttl: timedelta | float | None = None, secret: bool = False
    ) -> int:
        """Keeps a value, whatever was there; its version.

        `ttl`: for how long, in seconds or a timedelta. `secret`: encrypted, and shown to nobody.
        Raises `Overtaken`.
        """
        version = self._write(key, Write(value=value, ttl=lifetime(ttl), secret=secret))
        assert version is not None
        return version

    def compare_and_set(
        self,
        key: str,
        value: Any,
        *,
        version: int,
        ttl: timedelta | float | None = None,
        secret: bool = False,
    ) -> int | None:
        """Keeps a value only if `version` is what is there (0: nothing is); its own version.

        None where somebody else was quicker: read again, and decide anew. Raises `Overtaken`.
        """
        return self._write(
            key, Write(value=value, ttl=lifetime(ttl), secret=secret, expected=version)
        )

    def delete(self, key: str, *, version: int | None = None) -> bool:
        """Forgets a value, if given only that version; whether there was one.

        Raises `Overtaken`.
        """
        work = here(self._name)
        return work.states.delete(work.execution, self._place, check_key(key), expected=version)

    def _write(self, key: str, write: Write) -> int | None:
        work = here(self._name)
        kept = Write(
            value=storable(write.value),
            ttl=write.ttl,
            secret=write.secret,
            expected=write.expected,
        )
        return work.states.write(work.execution, self._place, check_key(key), kept)


class State:
    """Three places to keep things: of this task, of this DAG, and of an asset."""

    @property
    def task(self) -> StateOf:
        """What only this task of this DAG uses; the instances of a mapped task share it."""
        return StateOf(Place(Scope.TASK), "state.task")

    @property
    def dag(self) -> StateOf:
        """What all tasks of this DAG use."""
        return StateOf(Place(Scope.DAG), "state.dag")

    def asset(self, name: str) -> StateOf:
        """What belongs to an asset, whichever DAG works on it."""
        return StateOf(asset_place(name), "state.asset")


state = State()
