"""Keeping the DAGs of a folder in step with its files, for as long as one likes."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import DatabaseError, close_old_connections
from watchfiles import watch

from skytrail.errors import SkytrailError

if TYPE_CHECKING:
    from dags_app.actions.syncing import Synced

#: Seconds. Some file systems tell nobody of changes, those of a network above all.
LOOK_ANYWAY = 60.0

#: Seconds until the database is asked again when it was away.
_AWAY = 5.0

#: Milliseconds in which changes are taken for one; and until it is seen that the folder itself has
#: been replaced by another one.
_ONE_CHANGE, _REPLACED = 400, 2000


def keep_up(
    folder: Path,
    sync: Callable[[], Synced],
    *,
    show: Callable[[Synced], None],
    say: Callable[[str], None],
) -> None:
    """Syncs now and whenever a file has changed, until something unexpected is raised.

    What it came to is shown where it is news; what keeps it from syncing at all is said.
    """
    changed, is_over = threading.Event(), threading.Event()
    threading.Thread(target=_listen, args=(folder, changed, is_over), daemon=True).start()
    try:
        _follow(sync, changed, show=show, say=say)
    finally:
        is_over.set()


def _follow(
    sync: Callable[[], Synced],
    changed: threading.Event,
    *,
    show: Callable[[Synced], None],
    say: Callable[[str], None],
) -> None:
    known, said = None, ""
    while True:
        changed.clear()
        close_old_connections()
        patience, trouble = LOOK_ANYWAY, ""
        try:
            synced = sync()
        except SkytrailError as error:
            trouble = error.message
        except DatabaseError as error:
            patience, trouble = _AWAY, f"The database cannot be reached: {error}".strip()
        else:
            if known is None or _is_news(synced, known):
                show(synced)
            known = synced
        if trouble and trouble != said:
            say(trouble)
        said = trouble
        changed.wait(patience)


def _is_news(synced: Synced, known: Synced) -> bool:
    has_changed = any(outcome != "unchanged" for _, _, outcome in synced.dags)
    return has_changed or list(synced.faults) != list(known.faults)


def _listen(folder: Path, changed: threading.Event, is_over: threading.Event) -> None:
    """Tells of changes, whatever becomes of the folder in the meantime."""
    while not is_over.is_set():
        place = _place_of(folder)
        if place is None:
            is_over.wait(_REPLACED / 1000)
            continue
        changed.set()
        try:
            _listen_in(folder, place, changed, is_over)
        except (OSError, RuntimeError):  # as watchfiles tells that it has gone just now
            is_over.wait(_REPLACED / 1000)


def _listen_in(
    folder: Path, place: tuple[int, int], changed: threading.Event, is_over: threading.Event
) -> None:
    for changes in watch(
        folder,
        debounce=_ONE_CHANGE,
        rust_timeout=_REPLACED,
        yield_on_timeout=True,
        raise_interrupt=False,
        stop_event=is_over,
    ):
        if changes:
            changed.set()
        if _place_of(folder) != place:
            changed.set()
            return


def _place_of(folder: Path) -> tuple[int, int] | None:
    """What tells it from another folder that has come into its place; None where there is none."""
    try:
        found = os.stat(folder)  # noqa: PTH116  # a link is followed: it may lead elsewhere now
    except OSError:
        return None
    return found.st_dev, found.st_ino
