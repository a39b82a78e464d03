"""Connections to the broker: whoever needs one finds out in time whether there is one.

Kombu waits longer than is good for us in two places. Between attempts to connect it comes to sleep
for half a minute, so that a worker would notice only then that Redis is back. And what it sends for
remote control it tries to send for ever, in a web process too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import kombu
from kombu.connection import ConnectionPool, PooledConnection

#: The longest pause between two attempts to connect, in seconds.
LONGEST_PAUSE = 3

#: How often something is sent again when whoever sends it does not say.
RETRIES = 1


class _Prompt(kombu.Connection):
    def ensure_connection(self, *args: Any, **options: Any) -> _Prompt:
        """Connects, now or later: this is how workers and beat wait for their broker."""
        options.setdefault("interval_start", 1)
        options.setdefault("interval_step", 1)
        options.setdefault("interval_max", LONGEST_PAUSE)
        super().ensure_connection(*args, **options)
        return self

    def ensure(self, *args: Any, **options: Any) -> Callable[..., Any]:
        """Makes a function one that is tried again, but not for ever."""
        options.setdefault("max_retries", RETRIES)
        ensured: Callable[..., Any] = super().ensure(*args, **options)
        return ensured


class Connection(_Prompt):
    """See above."""

    def Pool(self, limit: int | None = None, **options: Any) -> ConnectionPool:  # noqa: N802
        """A pool whose connections are like this one, which Kombu's own are not."""
        return _Pool(self, limit, **options)


class _Pooled(_Prompt, PooledConnection):
    pass


class _Pool(ConnectionPool):
    def new(self) -> _Pooled:
        pool: Any = self  # its first argument, which the published types do not know
        return _Pooled(pool, **dict(self.connection._info(resolve=False)))  # noqa: SLF001
