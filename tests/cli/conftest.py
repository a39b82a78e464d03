"""The `skytrail` command in this process, on the tests' database."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from skytrail import cli


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    out: str
    err: str
    code: int

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The error that a command with `--output json` has printed."""
        return dict(json.loads(self.err)["error"])


class CommandLine:
    """`cli("dags", "list")`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: str, expect: int = 0) -> Said:
        self._monkeypatch.setattr(sys, "argv", ["skytrail", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = self._capsys.readouterr()
        said = Said(printed.out, printed.err, int(ended.value.code or 0))
        assert said.code == expect, printed.out + printed.err
        return said


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line."""
    return CommandLine(monkeypatch, capsys)
