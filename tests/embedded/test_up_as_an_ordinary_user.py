"""`skytrail up` needs no rights: an ordinary user gets all of it, in a folder of their own."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from skytrail.embedded.home import running
from tests.embedded.terminal import PROGRAMS, gone, is_root

if TYPE_CHECKING:
    from pathlib import Path

    from tests.embedded.terminal import Terminals


@dataclass(frozen=True, kw_only=True)
class Ordinary:
    """How to run Python as an ordinary user."""

    uid: int
    gid: int
    python: list[str]
    popen: dict[str, Any]

    def can_run_our_programs(self) -> bool:
        code = f"import skytrail.embedded.stack; open({str(PROGRAMS / 'up.py')!r})"
        try:
            return not subprocess.run(
                [*self.python, "-c", code], check=False, capture_output=True, **self.popen
            ).returncode
        except OSError:
            return False


@pytest.fixture(scope="module")
def user() -> Ordinary:
    """Whoever runs the tests; nobody, where that is root."""
    if not is_root():
        return Ordinary(uid=os.geteuid(), gid=os.getegid(), python=[sys.executable], popen={})
    nobody = pwd.getpwnam("nobody")
    uid, gid = nobody.pw_uid, nobody.pw_gid
    plainly = Ordinary(
        uid=uid,
        gid=gid,
        python=[sys.executable],
        popen={"user": uid, "group": gid, "extra_groups": [], "cwd": "/"},
    )
    # Root's Python may be in root's home. So nobody also gets the right to read everything, and no
    # other one: it is still not root, and owns nothing.
    reading = Ordinary(
        uid=uid,
        gid=gid,
        python=[
            "setpriv",
            f"--reuid={uid}",
            f"--regid={gid}",
            "--clear-groups",
            "--inh-caps=+dac_read_search",
            "--ambient-caps=+dac_read_search",
            sys.executable,
        ],
        popen={"cwd": "/"},
    )
    for ordinary in (plainly, reading):
        if ordinary.can_run_our_programs():
            return ordinary
    pytest.skip("nobody can reach neither Python nor this repository")


def test_everything_runs_and_stops_as_that_user(
    terminals: Terminals, folder: Path, user: Ordinary
) -> None:
    owned = folder / "owned"
    owned.mkdir(mode=0o700)
    os.chown(owned, user.uid, user.gid)
    data = owned / ".skytrail"
    terminal = terminals.run("up.py", str(data), python=user.python, **user.popen)
    terminal.wait_for("Ctrl-C stops everything", timeout=30)
    state = running(data)
    assert state
    with psycopg.connect(state.database_url) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("skytrail",)
    family = terminal.family()
    assert {process.uids().effective for process in family} == {user.uid}
    assert terminal.stopped() == 0
    assert gone(family)
    assert {path.stat().st_uid for path in data.rglob("*")} == {user.uid}


@pytest.mark.skipif(not is_root(), reason="needs two users")
def test_the_folder_of_root_is_refused(terminals: Terminals, folder: Path, user: Ordinary) -> None:
    (folder / ".skytrail").mkdir(mode=0o755)
    terminal = terminals.run("up.py", str(folder / ".skytrail"), python=user.python, **user.popen)
    assert terminal.ended() == 1
    assert "belongs to root, and this is nobody" in terminal.text
