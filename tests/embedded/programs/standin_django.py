"""Stands in for `django migrate` and `django skytrail_ensure_admin`."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main(command: str) -> int:
    if command == "migrate":
        if os.environ.get("STANDIN_MIGRATE") == "broken":
            print("no such column", flush=True)  # noqa: T201
            return 3
        print("migrating", os.environ["DATABASE_URL"], flush=True)  # noqa: T201
        return 0
    user = Path(os.environ["SKYTRAIL_DATA_DIR"]) / "admin"
    if user.exists():
        return 10
    user.write_text(os.environ["SKYTRAIL_ADMIN_PASSWORD"])
    return 0


sys.exit(main(sys.argv[1]))
