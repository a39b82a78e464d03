"""Whom PostgreSQL runs as when Skytrail runs as root: it refuses to be root itself."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from skytrail.errors import Unavailable

if TYPE_CHECKING:
    from pathlib import Path


class CannotChangeUser(Unavailable):
    """PostgreSQL refuses to run as root, and this process may not become {name} ({reason}).
    Run Skytrail as an ordinary user, or set DATABASE_URL to a PostgreSQL that runs elsewhere.
    """


@dataclass(frozen=True, kw_only=True)
class Account:
    """A user of this machine that a child process becomes."""

    name: str
    uid: int
    gid: int

    def popen_options(self) -> dict[str, Any]:
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def reaches(self, path: Path) -> bool:
        """Whether this user may run the program, or enter the folder, at `path`.

        Asked by becoming that user: mode bits alone do not know of ACLs, mounts and parents.
        """
        try:
            answer = subprocess.run(
                ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)],
                cwd="/",
                check=False,
                **self.popen_options(),
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise CannotChangeUser(name=self.name, reason=error) from error
        return answer.returncode == 0

    def takes(self, path: Path) -> None:
        """Make this user the owner of `path`."""
        os.chown(path, self.uid, self.gid)


def unprivileged_account() -> Account | None:
    """The account for servers that refuse to be root; None when this process is not root.

    `initdb` wants a user with a name, so an arbitrary number does not do.
    """
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise CannotChangeUser(name="postgres or nobody", reason="neither exists here")
