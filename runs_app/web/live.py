"""Moves, told to the pages that are open: server-sent events.

One look at history serves every open page of this process, a few times a second and only while
there are any: the engine does nothing for it (see docs/adr/0034-pages-look-at-history.md).
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID
from weakref import WeakKeyDictionary

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from runs_app.selectors.moves import Moved, moved_runs, moved_tasks
from skytrail.database.clock import database_now
from skytrail.database.from_async import ask, ask_beside

_logger = logging.getLogger("skytrail.web")

#: Seconds between two looks, and after one that failed.
_EVERY, _AFTER_TROUBLE = 0.3, 2.0

#: How far back is looked each time. A move is seen once it is committed, and bears the time at
#: which its transaction began: one of a transaction that took longer is seen with the next refresh.
_WINDOW = timedelta(seconds=4)

#: Seconds of silence after which a line is sent, so that neither end takes the other for gone.
_PING = 10.0

#: Seconds after which a page has to ask anew, and is asked who it is.
_LONGEST = 600.0

#: What one page may look at.
_MOST_TOPICS = 20


class BadTopic(ValueError):
    """A topic that there is not."""


@dataclass(frozen=True, slots=True)
class Topics:
    """What a page wants to hear of: single runs and DAGs, or the runs of all."""

    runs: frozenset[UUID] = frozenset()
    dags: frozenset[UUID] = frozenset()
    all_runs: bool = False

    @classmethod
    def read(cls, words: Iterable[str]) -> Topics:
        """`run:<key>`, `dag:<key>` or `runs` each. Raises `BadTopic`."""
        found: dict[str, set[UUID]] = {"run": set(), "dag": set()}
        all_runs = False
        for word in words:
            kind, _, key = word.partition(":")
            if word == "runs":
                all_runs = True
                continue
            try:
                found[kind].add(UUID(key))
            except (KeyError, ValueError):
                raise BadTopic(word) from None
        return cls(frozenset(found["run"]), frozenset(found["dag"]), all_runs)

    def has(self, move: Moved) -> bool:
        if move.run in self.runs:
            return True
        return move.task_run is None and (self.all_runs or move.dag in self.dags)


@dataclass(eq=False, slots=True)
class _Reader:
    """An open page, and what it has not been told yet: of each thing only where it stands now."""

    topics: Topics
    news: asyncio.Event = field(default_factory=asyncio.Event)
    runs: dict[UUID, str] = field(default_factory=dict)
    tasks: dict[UUID, str] = field(default_factory=dict)

    def hear(self, moves: Iterable[Moved]) -> None:
        for move in moves:
            if self.topics.has(move):
                if move.task_run is None:
                    self.runs[move.run] = move.state
                else:
                    self.tasks[move.task_run] = move.state
                self.news.set()

    def take(self, pages: int) -> str:
        """What it has not been told, as an event; and how many pages are open, so that they ask
        for their parts the less often the more there are.
        """
        told: dict[str, object] = {
            name: [[str(key), state] for key, state in moved.items()]
            for name, moved in (("runs", self.runs), ("tasks", self.tasks))
        }
        told["open"] = pages
        self.runs, self.tasks = {}, {}
        self.news.clear()
        return f"event: moves\ndata: {json.dumps(told, separators=(',', ':'))}\n\n"


class _Watch:
    """Looks at history for all readers of one event loop."""

    def __init__(self) -> None:
        self._readers: set[_Reader] = set()
        self._task: asyncio.Task[None] | None = None
        self._seen: dict[UUID, tuple[float, Moved]] = {}

    @property
    def pages(self) -> int:
        """How many are open."""
        return len(self._readers)

    @contextmanager
    def reader(self, topics: Topics) -> Iterator[_Reader]:
        """Somebody who is told from now on, and what has happened since the page was made."""
        reader = _Reader(topics)
        reader.hear(move for _, move in self._seen.values())
        self._readers.add(reader)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look_on())
        try:
            yield reader
        finally:
            self._readers.discard(reader)

    async def _look_on(self) -> None:
        while self._readers:
            try:
                await self._look()
                wait = _EVERY
            except Exception as error:  # noqa: BLE001  # the database may be away; pages stay open
                _logger.warning("open pages cannot be told what happens: %s", error)
                wait = _AFTER_TROUBLE
            await asyncio.sleep(wait)
        self._seen.clear()

    async def _look(self) -> None:
        runs = frozenset().union(*(reader.topics.runs for reader in self._readers))
        moves = [move for move in await ask_beside(_moves, runs) if move.id not in self._seen]
        now = time.monotonic()
        for move in moves:
            self._seen[move.id] = now, move
        for reader in self._readers:
            reader.hear(moves)
        keep = now - 2 * _WINDOW.total_seconds()
        self._seen = {key: seen for key, seen in self._seen.items() if seen[0] > keep}


def _moves(runs: frozenset[UUID]) -> list[Moved]:
    since = database_now() - _WINDOW
    return [*moved_runs(since), *moved_tasks(runs, since)]


_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, _Watch] = WeakKeyDictionary()


async def events(request: HttpRequest) -> StreamingHttpResponse | HttpResponse:
    """`?topic=run:<key>&topic=runs`: a stream of moves, as long as the page is open."""
    words = request.GET.getlist("topic")
    try:
        topics = Topics.read(words)
    except BadTopic as error:
        return _refused(f"There is no topic {error}.", 400)
    if not words or len(words) > _MOST_TOPICS:
        return _refused(f"Name from 1 to {_MOST_TOPICS} topics.", 400)
    # Else each open page would keep the connection that its login was looked up with.
    if not await ask(_may_see, request):
        return _refused("You may not see runs: ask an administrator for `dags_app.view_dag`.", 403)
    watch = _watches.setdefault(asyncio.get_running_loop(), _Watch())
    return StreamingHttpResponse(
        _stream(watch, topics),
        content_type="text/event-stream",
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )


def _may_see(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("dags_app.view_dag"))


async def _stream(watch: _Watch, topics: Topics) -> AsyncIterator[str]:
    ends = time.monotonic() + _LONGEST
    yield "retry: 2000\n\n"
    with watch.reader(topics) as reader:
        while time.monotonic() < ends:
            try:
                await asyncio.wait_for(reader.news.wait(), _PING)
            except TimeoutError:
                yield ": still here\n\n"
            else:
                yield reader.take(watch.pages)


def _refused(message: str, status: int) -> HttpResponse:
    return HttpResponse(message, status=status, content_type="text/plain; charset=utf-8")
