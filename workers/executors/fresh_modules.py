"""Importing what may have changed since: the modules of the folder with the files of DAGs.

A worker lives long, and whoever edits a file of DAGs expects the next run to use it. So they are
imported anew when one of them has changed, all of them: some may have taken things from it.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

from django.conf import settings

#: What tells a file from what it was before.
_Stamp: TypeAlias = tuple[int, int, int] | None

#: The modules that were imported from there, with their files as they were.
_imported: dict[str, tuple[str, _Stamp]] = {}


def import_fresh(name: str) -> ModuleType:
    """The module of this name. One in the folder of DAGs is as its file is now."""
    # A DAG may be tried with the settings of a project that are not built on ours.
    folder: Path | None = getattr(settings, "SKYTRAIL_DAGS_DIR", None)
    if folder is None:
        return importlib.import_module(name)
    if str(folder) not in sys.path:
        sys.path.append(str(folder))  # behind all others, whose modules stay what they are
    if any(_stamp_of(file) != stamp for file, stamp in _imported.values()):
        _forget()
    elif name in sys.modules:
        return sys.modules[name]
    known = frozenset(sys.modules)
    writes_not, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        # What Python has compiled is current for it if only size and second are the same.
        return importlib.import_module(name)
    finally:
        sys.dont_write_bytecode = writes_not
        _note(folder, since=known)


def _note(folder: Path, *, since: frozenset[str]) -> None:
    """Only what has come in just now: what others use, Skytrail's own too, is left alone."""
    prefix = f"{folder}{os.sep}"
    for name in sys.modules.keys() - since:
        file = getattr(sys.modules[name], "__file__", None)
        if isinstance(file, str) and file.startswith(prefix) and "site-packages" not in file:
            _imported[name] = file, _stamp_of(file)


def _forget() -> None:
    for name in _imported:
        sys.modules.pop(name, None)
    _imported.clear()
    importlib.invalidate_caches()


def _stamp_of(file: str) -> _Stamp:
    try:
        found = os.stat(file)  # noqa: PTH116  # on the hot path
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
