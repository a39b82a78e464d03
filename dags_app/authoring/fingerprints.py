"""By what a file of DAGs is known again: its content, and the commit that it stands in."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path

#: Behind the commit of a file that differs from it, as `git describe` writes it.
DIRTY = "-dirty"


def digest_of(root: Path, path: str, reads: Iterable[str] = ()) -> str:
    """SHA-256 of a file below `root` and of those that it reads; another one if any has changed."""
    found = hashlib.sha256()
    for name in (path, *sorted(reads)):
        found.update(f"{name}\0{_content(root / name)}\0".encode())
    return found.hexdigest()


def _content(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""  # whoever loads it will say why it cannot be read


class Commits:
    """The commits of the files below a folder; empty where it is in no git repository."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._changed = cache(self._ask_for_changed)
        self._head = cache(lambda: self._git("rev-parse", "HEAD"))

    def of(self, path: str) -> str:
        """HEAD for a file as it is there; with `DIRTY` for one that is another one now."""
        head = self._head().strip()
        return f"{head}{DIRTY}" if head and path in self._changed() else head

    def _ask_for_changed(self) -> frozenset[str]:
        tracked = self._git("diff", "--name-only", "--relative", "-z", "HEAD", "--", ".")
        new = self._git("ls-files", "--others", "-z", "--", ".")
        return frozenset(tracked.split("\0") + new.split("\0"))

    def _git(self, *arguments: str) -> str:
        # It only looks: no lock is taken, and no program that the repository names is started.
        quietly = ("--no-optional-locks", "-c", "core.fsmonitor=false")
        try:
            answer = subprocess.run(
                ["git", *quietly, "-C", str(self._root), *arguments],
                capture_output=True,
                timeout=10,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            return ""
        return answer.stdout.decode(errors="replace")
