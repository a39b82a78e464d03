"""Where a run keeps its files."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path


def make(run_id: str) -> dict[str, str]:
    """A folder for this run, in Skytrail's data folder: `{"folder": …}`. Twice makes one."""
    name = re.sub(r"[^A-Za-z0-9.-]+", "_", run_id)
    data = Path(os.environ.get("SKYTRAIL_DATA_DIR") or tempfile.gettempdir())
    folder = data.resolve() / "examples" / "weather" / name
    folder.mkdir(parents=True, exist_ok=True)
    print(f"files of this run go to {folder}")
    return {"folder": str(folder)}
