"""Asking the database from asynchronous code that goes on for long."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import connection

P = ParamSpec("P")
T = TypeVar("T")


async def ask(question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `question` answers, asked in the request's own thread; the connection is given back.

    Whoever reads a stream may stay for hours, and must not keep a connection that others need.
    """
    return await sync_to_async(giving_back(question))(*args, **kwargs)


async def ask_beside(question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same in any thread, for what belongs to no request."""
    return await sync_to_async(giving_back(question), thread_sensitive=False)(*args, **kwargs)


def giving_back(question: Callable[P, T]) -> Callable[P, T]:
    """`question`, after which this thread has no connection any more (unless it is in a
    transaction).
    """

    def asked(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return question(*args, **kwargs)
        finally:
            if not connection.in_atomic_block:
                connection.close()

    return asked
