"""`skytrail dags test` where somebody sits in front of it: a tree that grows, and questions."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.waiting import wait_until


@dataclass
class Screen:
    """A program in a terminal of its own: what it has written, and what is typed."""

    process: subprocess.Popen[bytes]
    terminal: int
    written: str = ""
    reader: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self.terminal, 65_536)
            except OSError:  # the program has closed it
                return
            self.written += data.decode(errors="replace")

    @property
    def text(self) -> str:
        """What it has written, in one colour; between two words there is one blank."""
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.written)
        return re.sub(r" +", " ", plain)

    def wait_for(self, text: str) -> None:
        def written() -> bool:
            assert text in self.text, self.text
            return True

        wait_until(written, timeout=30, what=f"{text!r} is shown")

    def type(self, text: str) -> None:
        os.write(self.terminal, text.encode())

    def ended(self) -> int:
        code = self.process.wait(timeout=30)
        self.reader.join(timeout=10)
        return code


@contextmanager
def trying(folder: Path, *tasks: dict[str, Any]) -> Iterator[Screen]:
    file = folder / "dag.json"
    file.write_text(json.dumps({"name": "story", "tasks": list(tasks)}))
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "skytrail.cli", "dags", "test", str(file)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120", "NO_COLOR": "1"},
        start_new_session=True,
    )
    os.close(theirs)
    screen = Screen(process, ours)
    try:
        yield screen
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_a_tree_grows_while_the_run_goes_on(tmp_path: Path) -> None:
    go = tmp_path / "go"
    slow = {
        "id": "slow",
        "type": "bash",
        "command": f"echo working; until [ -e {go} ]; do sleep 0.05; done",
    }
    with trying(tmp_path, slow, {"id": "after", "depends_on": ["slow"]}) as screen:
        screen.wait_for("running slow")
        screen.wait_for("waiting after")
        screen.wait_for("working")
        go.touch()
        assert screen.ended() == 0
        assert "success after" in screen.text


def test_an_approval_is_asked_for(tmp_path: Path) -> None:
    ask = {"id": "ask", "type": "approval", "subject": "May it go on?", "body": "It is large."}
    with trying(tmp_path, ask, {"id": "after", "depends_on": ["ask"]}) as screen:
        screen.wait_for("May it go on?")
        screen.wait_for("It is large.")
        screen.type("Reject\n")
        assert screen.ended() == 1
        assert "who tries it has chosen 'Reject'" in screen.text
