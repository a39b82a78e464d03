"""`skytrail make-fernet-key` and `rotate-fernet-key`."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from pytest_django import Settings

from skytrail.security.secrets import keeping
from skytrail.security.secrets.finding import find_variable
from tests.cli.conftest import CommandLine

pytestmark = pytest.mark.usefixtures("committing")


def test_a_new_key_takes_over(command: CommandLine, settings: Settings) -> None:
    keeping.keep_variable("region", "north")
    key = command("make-fernet-key").out.strip()
    Fernet(key)
    settings.SKYTRAIL_FERNET_KEYS = [key, *settings.SKYTRAIL_FERNET_KEYS]
    assert "1 encrypted anew" in command("rotate-fernet-key").out
    settings.SKYTRAIL_FERNET_KEYS = [key]
    assert find_variable("region") == "north"
    assert command("rotate-fernet-key", "-o", "json").json == {"encrypted": 1}


def test_a_key_that_is_missing_is_said(command: CommandLine, settings: Settings) -> None:
    keeping.keep_variable("region", "north")
    settings.SKYTRAIL_FERNET_KEYS = [Fernet.generate_key().decode()]
    assert "SKYTRAIL_FERNET_KEYS" in command("rotate-fernet-key", expect=5).err
