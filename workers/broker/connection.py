"""Connections to the broker: whoever needs one finds out in time whether there is one.

Kombu waits longer than is good for us in two places. Between attempts to connect it comes to sleep
for half a minute, so that a worker would notice only then that Redis is back. And what it sends for
remote control it tries to send for ever, in a web process too.

And in one place it does not expect a connection to be gone: where it looks after messages that have
come over it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import kombu
from kombu.connection import ConnectionPool, PooledConnection
from kombu.transport import redis, virtual

#: The longest pause between two attempts to connect, in seconds.
LONGEST_PAUSE = 3

#: How often something is sent again when whoever sends it does not say.
RETRIES = 1


class _QoS(redis.QoS):
    """What has been delivered and is not acknowledged yet.

    Where Redis goes away under a worker, Kombu gives the connection up in two steps, and stumbles
    in the second over what it has let go in the first. And a task may end after its worker has
    connected anew: its message is then acknowledged by way of the earlier connection. Both would
    take the worker down. What is not acknowledged stays noted in Redis, and is refused when it
    comes again; what is still queued is sent again by recovery.
    """

    def ack(self, delivery_tag: str) -> None:
        if self._is_gone:
            virtual.QoS.ack(self, delivery_tag)
        else:
            super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:  # noqa: FBT001, FBT002
        if self._is_gone:
            virtual.QoS.ack(self, delivery_tag)
        else:
            super().reject(delivery_tag, requeue)

    def restore_unacked(self, client: Any = None) -> Any:
        if self._is_gone:
            assert self._delivered is not None
            self._delivered.clear()
            return None
        return super().restore_unacked(client)

    @property
    def _is_gone(self) -> bool:
        transport = self.channel.connection
        return transport is None or transport.client is None


class _Channel(redis.Channel):
    QoS = _QoS


class _Transport(redis.Transport):
    Channel = _Channel


class _Prompt(kombu.Connection):
    def get_transport_cls(self) -> Any:
        """Kombu's class for Redis with our care; any other as it is."""
        transport_class = super().get_transport_cls()
        return _Transport if transport_class is redis.Transport else transport_class

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

    def collect(self, socket_timeout: float | None = None) -> None:
        """Lets go of what is broken.

        Its channel too, which Kombu would close once more after it has forgotten where Redis is: a
        worker that was at work when its connection broke would end with an AttributeError.
        """
        try:
            super().collect(socket_timeout)
        finally:
            self._default_channel = None


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
