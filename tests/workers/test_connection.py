"""A worker that has lost its connection to Redis gives it up, and goes on with another one."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from skytrail.celery import app

#: What is said of a message when its task has ended.
Word = Callable[[Any], None]


@pytest.fixture
def connection() -> Iterator[Any]:
    with app.connection_for_read() as connection:
        yield connection


@pytest.fixture
def delivered(connection: Any) -> Any:
    """A message that came, over a connection of which Kombu has then let go half."""
    queue = connection.SimpleQueue(f"test-{uuid.uuid4()}")
    queue.put({})
    message = queue.get(timeout=10)
    # As after a `collect` in which closing the channel took too long.
    connection._do_close_transport()
    return message


def test_a_connection_that_is_half_gone_can_be_given_up(connection: Any, delivered: Any) -> None:
    connection.close()
    assert delivered.channel.closed


@pytest.mark.parametrize(
    "say",
    [
        lambda message: message.ack(),
        lambda message: message.reject(),
        lambda message: message.reject(requeue=True),
    ],
    ids=["acknowledged", "rejected", "given back"],
)
def test_a_message_outlives_its_connection(connection: Any, delivered: Any, say: Word) -> None:
    connection.close()
    say(delivered)
    assert delivered.acknowledged
