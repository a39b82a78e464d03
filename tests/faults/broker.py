"""Messages that do not get to Redis, that get there without their sender's knowing, or are lost.

Faults strike in kombu, where all that is sent passes: what a dispatcher publishes, and what a
canvas sends on by itself.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from typing import Any

import redis
from kombu.messaging import Producer

from tests.faults.dice import Fault, dice

_logger = logging.getLogger(__name__)

Publish = Callable[..., Any]

#: Where it stands which messages have been lost, for all processes.
LOST = "tests.faults.lost"


def fail_at_times() -> None:
    """From now on this process and its children find Redis gone now and then when they send."""
    _wrap(_failing)


def lose_each_once(redis_url: str) -> None:
    """From now on each message is lost that nobody has sent before, whichever process sends it."""
    _wrap(lambda publish: _losing(publish, redis.Redis.from_url(redis_url)))


def _wrap(wrap: Callable[[Publish], Publish]) -> None:
    Producer._publish = wrap(Producer._publish)  # type: ignore[method-assign]


def _failing(publish: Publish) -> Publish:
    def published(producer: Any, body: Any, *arguments: Any, **options: Any) -> Any:
        task = _task_of(arguments)
        fault = dice.throw(f"message {task}") if task else None
        if fault is Fault.BEFORE:
            raise redis.ConnectionError(f"{task} was not sent, on purpose")
        answer = publish(producer, body, *arguments, **options)
        if fault is Fault.AFTER:
            raise redis.ConnectionError(f"{task} was sent, but this is not told, on purpose")
        return answer

    return published


def _losing(publish: Publish, lost: redis.Redis) -> Publish:
    def published(producer: Any, body: Any, *arguments: Any, **options: Any) -> Any:
        task = _task_of(arguments)
        if task and lost.sadd(LOST, _digest(task, body)):
            _logger.warning("fault: lost message %s", task)
            return None
        return publish(producer, body, *arguments, **options)

    return published


def _task_of(arguments: tuple[Any, ...]) -> str:
    """Which task a message is for; empty for Celery's own talk."""
    headers = arguments[3]
    return str(headers.get("task") or "")


def _digest(task: str, body: str) -> str:
    """The same for messages that say the same, whatever ids Celery gives to what follows."""
    arguments, options, _canvas = json.loads(body)
    said = json.dumps([task, arguments, options])
    return hashlib.sha256(said.encode()).hexdigest()
