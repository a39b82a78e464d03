"""The files below a folder that may define DAGs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pathspec import GitIgnoreSpec

from skytrail.errors import NotFound, Unavailable

#: Names what is not looked at, in the syntax of .gitignore. It stands in the folder itself.
IGNORE_FILE = ".skytrailignore"

DATA_SUFFIXES = frozenset({".yaml", ".yml", ".json"})

#: A Python file without one of these words makes no DAG, and is not worth importing.
_WORDS = (b"dag", b"skytrail")


class NoSuchFolder(NotFound):
    """There is no folder {folder}: name the one that holds the files of your DAGs."""


class FolderNotReadable(Unavailable):
    """The folder {folder} cannot be read: {reason}. What is known of its DAGs stays as it is."""


def find_files(root: Path) -> list[Path]:
    """The files below `root` that may define DAGs, in the order of their names.

    YAML, JSON, and Python that speaks of DAGs; without what is hidden, what `.skytrailignore` names
    and folders that are only linked to, which may lead around in a circle. Raises `NoSuchFolder`,
    and `FolderNotReadable` also where only a part of it cannot be read.
    """
    if not root.is_dir():
        raise NoSuchFolder(folder=root)
    try:
        ignored = _ignored(root)
        return sorted(file for file in _below(root, root, ignored) if _may_define(file))
    except OSError as error:
        where, reason = error.filename or root, error.strerror or str(error)
        raise FolderNotReadable(folder=where, reason=reason) from None


def _ignored(root: Path) -> GitIgnoreSpec:
    file = root / IGNORE_FILE
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    return GitIgnoreSpec.from_lines(text.splitlines())


def _below(folder: Path, root: Path, ignored: GitIgnoreSpec) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for entry in entries:
            path = folder / entry.name
            name = path.relative_to(root).as_posix()
            if entry.name.startswith(".") or entry.name == "__pycache__":
                continue
            if entry.is_dir(follow_symlinks=False):
                if not ignored.match_file(f"{name}/"):
                    yield from _below(path, root, ignored)
            elif entry.is_file() and not ignored.match_file(name):
                yield path


def _may_define(file: Path) -> bool:
    if file.suffix != ".py":
        return file.suffix in DATA_SUFFIXES
    try:
        source = file.read_bytes().lower()
    except OSError:
        return True  # whoever loads it will say why it cannot be read
    return any(word in source for word in _WORDS)
