"""The folder with the files of DAGs, where there is one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

#: Of the current folder: where people keep the files of their DAGs.
USUAL = "dags"


def dags_dir(environ: Mapping[str, str] = os.environ) -> Path | None:
    """The folder that SKYTRAIL_DAGS_DIR names, there or not; else `dags` here if it is there."""
    if named := environ.get("SKYTRAIL_DAGS_DIR"):
        return Path(named).absolute()
    usual = Path(USUAL).absolute()
    return usual if usual.is_dir() else None


def root_of(file: Path) -> Path | None:
    """That folder for a file in it, so that its modules find each other; None for any other."""
    folder = dags_dir()
    if folder is None or folder.resolve() not in file.resolve().parents:
        return None
    return folder
