"""A folder that is watched is followed, whatever becomes of it."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

from dags_app.actions.syncing import Synced
from dags_app.authoring.loading import Fault
from skytrail.cli.keeping_up import LOOK_ANYWAY, keep_up
from skytrail.documents.finding import NoSuchFolder
from tests.waiting import wait_until

#: Less than after which it looks without being told.
PROMPTLY = LOOK_ANYWAY / 3


class Over(Exception):
    """Enough."""


def test_a_folder_is_followed_when_it_comes_changes_and_is_replaced(tmp_path: Path) -> None:
    current, said, is_over = tmp_path / "current", list[str](), threading.Event()

    def sync() -> Synced:
        if is_over.is_set():
            raise Over
        if not current.is_dir():
            raise NoSuchFolder(folder=current)
        fact = (current / "word").read_text()
        return Synced(
            root=current, files=1, loaded=1, dags=[], faults=[(fact, Fault(message=fact))]
        )

    def show(synced: Synced) -> None:
        said.append(synced.faults[0][0])

    def is_said(word: str) -> None:
        wait_until(lambda: said[-1:] == [word], timeout=PROMPTLY, what=f"{word!r} is said")

    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "word").write_text(name)

    def follow() -> None:
        with contextlib.suppress(Over):
            keep_up(current, sync, show=show, say=said.append)

    following = threading.Thread(target=follow, daemon=True)
    following.start()
    wait_until(lambda: len(said) == 1, timeout=PROMPTLY, what="that there is none is said")
    assert "There is no folder" in said[0]

    current.symlink_to("one")
    is_said("one")
    (tmp_path / "one/word").write_text("another")
    is_said("another")
    (tmp_path / "next").symlink_to("two")
    (tmp_path / "next").rename(current)
    is_said("two")
    is_over.set()
    (tmp_path / "two/word").write_text("")
    following.join(timeout=PROMPTLY)
    assert not following.is_alive()
