"""Makes what docker-compose.yml needs to be secret, once: random, in a volume of its own.

Each file is named as the setting it is (see docs/settings.md). What is there already stays.
"""

from __future__ import annotations

import secrets
import sys
from pathlib import Path


def make(folder: Path) -> None:
    """Writes the files that are missing; passwords shared by two files are made together."""
    password = _once(folder / "postgres-password", secrets.token_urlsafe(24))
    redis = _once(folder / "redis-password", secrets.token_urlsafe(24))
    _once(folder / "DATABASE_URL", f"postgresql://skytrail:{password}@postgres:5432/skytrail")
    _once(folder / "REDIS_URL", f"redis://:{redis}@redis:6379/0")
    # What is queued survives a restart; nothing is thrown away when memory is short.
    _once(
        folder / "redis.conf",
        f"requirepass {redis}\nappendonly yes\nmaxmemory-policy noeviction\ndir /data\n",
    )
    _once(folder / "SKYTRAIL_SECRET_KEY", secrets.token_urlsafe(50))
    # What connections and variables are encrypted with: keep a copy apart from the database's.
    _once(folder / "SKYTRAIL_FERNET_KEYS", secrets.token_urlsafe(32))
    _once(folder / "FLOWER_BASIC_AUTH", f"skytrail:{secrets.token_urlsafe(24)}")


def _once(file: Path, content: str) -> str:
    """Writes `file` unless it is there; what it holds."""
    if not file.exists():
        draft = file.with_suffix(".draft")
        draft.write_text(content)
        # The servers run as users of their own; only containers that mount the volume see it.
        draft.chmod(0o444)
        draft.replace(file)
    return file.read_text()


if __name__ == "__main__":
    make(Path(sys.argv[1]))
