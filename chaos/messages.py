"""Messages that come several times, out of turn, late, days later, or never.

Who sends them is wrapped (`install`, in processes whose environment asks for it): at the last step,
where a message becomes an element of a list in Redis, so that all of them are met, those of chains
and chords too. Those that come late or again later wait in Redis for `Post`, a thread of the suite.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from types import TracebackType
from typing import Any

import redis
from kombu.utils.json import dumps

#: The variable: a JSON document with the fields of `Disorder`.
VARIABLE = "CHAOS_MESSAGES"

#: Where the suite keeps its own things in the installation's Redis.
_LATE = "chaos:late"
_OLD = "chaos:old"
_COUNTS = "chaos:counts"
_LARGEST = "chaos:largest"

#: So many of the messages sent are kept, to be sent again later.
_KEPT = 2000

Command = tuple[str, tuple[Any, ...]]


def disorder(*, drop: float, late: float, seconds: float, copies: int, ahead: float) -> str:
    """The variable's value.

    Of all messages the part `drop` never comes, and the part `late` comes `seconds` later; the
    others come `copies` times each, and a part of them, `ahead`, before all that waits already.
    """
    return json.dumps(
        {"drop": drop, "late": late, "seconds": seconds, "copies": copies, "ahead": ahead}
    )


#: The variable's value where nothing is done but to note how large messages are.
MEASURED = "measured"


def largest(url: str) -> int:
    """How many bytes the largest message had, where that was noted."""
    with redis.Redis.from_url(url) as client:
        return int(client.zscore(_LARGEST, "message") or 0)


def install() -> None:
    """Does what the environment says."""
    if wanted := os.environ.get(VARIABLE):
        from kombu.transport.redis import Channel  # noqa: PLC0415  # at the start of the process

        if wanted == MEASURED:
            _wrap(Channel, _measure)
        else:
            _wrap(Channel, partial(_instead, asked=json.loads(wanted), random=Random()))


def _wrap(channel_class: Any, instead: Callable[[str, str], Iterator[Command]]) -> None:
    def put(self: Any, queue: str, message: dict[str, Any], **options: Any) -> None:
        priority = self._get_message_priority(message, reverse=False)
        key = self._q_for_pri(queue, priority)
        commands = list(instead(key, dumps(message)))
        batch = options.pop("_publish_batch", None)
        if batch is not None:
            for name, arguments in commands:
                batch.add(name, *arguments)
            return
        with self.conn_or_acquire() as client:
            for name, arguments in commands:
                getattr(client, name)(*arguments)

    channel_class._put = put  # noqa: SLF001  # there is no other door


def _measure(key: str, message: str) -> Iterator[Command]:
    """The usual LPUSH, and a note."""
    yield "lpush", (key, message)
    # Only ever more: the last argument is ZADD's GT.
    yield "zadd", (_LARGEST, {"message": len(message)}, False, False, False, False, True)


def _instead(key: str, message: str, *, asked: dict[str, Any], random: Random) -> Iterator[Command]:
    """What is done instead of one LPUSH: workers take from the right."""
    kept = json.dumps([key, message])
    yield "lpush", (_OLD, kept)
    yield "ltrim", (_OLD, 0, _KEPT - 1)
    chance = random.random()
    if chance < asked["drop"]:
        yield _count("dropped")
    elif chance < asked["drop"] + asked["late"]:
        # The place in the line makes it unlike another of the same content.
        due = time.time() + asked["seconds"] * random.uniform(1, 1.5)
        yield "zadd", (_LATE, {json.dumps([kept, random.random()]): due})
        yield _count("late")
    else:
        for _ in range(asked["copies"]):
            is_ahead = random.random() < asked["ahead"]
            yield "rpush" if is_ahead else "lpush", (key, message)
            yield _count("ahead of others" if is_ahead else "in turn")


def _count(what: str) -> Command:
    return "hincrby", (_COUNTS, what, 1)


class Post:
    """Brings what is late when it is due, and old messages again, `per_second` of them by chance.

    Within `with` it works.
    """

    def __init__(self, url: str, *, random: Random, per_second: float) -> None:
        self._redis: Any = redis.Redis.from_url(url, socket_timeout=10, decode_responses=True)
        self._random = random
        self._per_second = per_second
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="post", daemon=True)

    def __enter__(self) -> Post:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join(timeout=15)
        self._redis.close()

    def bring_all_again(self) -> None:
        """Every message that is kept, the oldest first."""
        for kept in reversed(self._redis.lrange(_OLD, 0, -1)):
            self._bring(kept, "again")

    def counts(self) -> dict[str, int]:
        """How many messages were treated how."""
        return {what: int(times) for what, times in self._redis.hgetall(_COUNTS).items()}

    def _run(self) -> None:
        pause = 0.2
        while not self._stopping.wait(pause):
            with contextlib.suppress(redis.RedisError):
                for entry in self._redis.zrangebyscore(_LATE, 0, time.time()):
                    self._redis.zrem(_LATE, entry)
                    self._bring(json.loads(entry)[0], "late at last")
                for _ in range(round(self._per_second * pause)):
                    length = self._redis.llen(_OLD)
                    if length:
                        kept = self._redis.lindex(_OLD, self._random.randrange(length))
                        self._bring(kept, "again")

    def _bring(self, kept: str | None, how: str) -> None:
        if kept is not None:
            key, message = json.loads(kept)
            self._redis.lpush(key, message)
            self._redis.hincrby(_COUNTS, how, 1)
